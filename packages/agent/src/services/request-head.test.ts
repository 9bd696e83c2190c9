import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseRequestHead } from './request-head.ts';

function parse(text: string): ReturnType<typeof parseRequestHead> {
  return parseRequestHead(Buffer.from(text));
}

describe('the head of a request', () => {
  test('names its host, without a port, and says whether it has credentials', () => {
    expect(parse('GET /v2/ HTTP/1.1\r\nHost: Registry.Tapline:5000\r\n\r\n')).toEqual({
      host: 'registry.tapline',
      hasCredentials: false,
    });
    const head =
      'POST / HTTP/1.1\r\nAccept: */*\r\nAUTHORIZATION: Bearer x\r\nhost:api.tapline\r\n';
    expect(parse(`${head}\r\nbody`)).toEqual({ host: 'api.tapline', hasCredentials: true });
  });

  test.each([
    ['GET http://api.tapline/ HTTP/1.1\r\nHost: api.tapline\r\n\r\n'],
    ['GET / HTTP/1.1\r\nHost: api.tapline\r\nHost: registry.tapline\r\n\r\n'],
    ['GET / HTTP/1.1\r\n\r\n'],
    ['GET / HTTP/1.0\r\nHost: api.tapline\r\n\r\n'],
    [`GET / HTTP/1.1\r\nX: ${'x'.repeat(16_384)}`],
    ['\u0016\u0003\u0001\r\n\r\n'],
  ])('%j is malformed', (text) => {
    expect(parse(text)).toBe('malformed');
  });

  test('is waited for until it is whole, however it comes', () => {
    const text = 'GET / HTTP/1.1\r\nHost: api.tapline\r\n\r\n';
    for (let end = 0; end < text.length; end += 1)
      expect(parse(text.slice(0, end))).toBeUndefined();
  });

  test('never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const head = parseRequestHead(bytes);
        expect(head === undefined || head === 'malformed' || head.host !== '').toBe(true);
      }),
    );
  });
});
