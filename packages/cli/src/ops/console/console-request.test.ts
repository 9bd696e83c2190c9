import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { consoleRoute, parseConsoleBody } from './console-request.ts';

function routeOf(method: string, url: string): string {
  try {
    const route = consoleRoute({ method, url });
    return route.kind;
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe('what can be asked for', () => {
  test.each([
    ['GET', '/', 'file'],
    ['GET', '/console.js', 'file'],
    ['GET', '/console.css', 'file'],
    ['GET', '/api/watch', 'watch'],
    ['POST', '/api/approval', 'body'],
    ['POST', '/api/switch', 'body'],
  ])('%s %s', (method, url, kind) => {
    expect(routeOf(method, url)).toBe(kind);
  });

  test.each([
    ['GET', '/api/approval', 'method_not_allowed'],
    ['GET', '/api/switch', 'method_not_allowed'],
    ['POST', '/', 'method_not_allowed'],
    ['POST', '/api/watch', 'method_not_allowed'],
    ['DELETE', '/api/approval', 'method_not_allowed'],
    ['OPTIONS', '/api/approval', 'method_not_allowed'],
    ['GET', '/apis/tapline.dev/v1alpha1/devices', 'not_found'],
    ['GET', '/api/watch?kind=tokens', 'not_found'],
    ['GET', '/api/watch/', 'not_found'],
    ['GET', '/../index.html', 'not_found'],
    ['GET', 'http://elsewhere/', 'not_found'],
    ['GET', '/toString', 'not_found'],
    ['GET', '', 'not_found'],
  ])('%s %s is not: %s', (method, url, code) => {
    expect(routeOf(method, url)).toBe(code);
  });

  test('whatever else is asked is not', () => {
    const known = new Set([
      '/',
      '/console.js',
      '/console.css',
      '/api/watch',
      '/api/approval',
      '/api/switch',
    ]);
    const url = fc.oneof(fc.webPath(), fc.string()).filter((one) => !known.has(one));
    const method = fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE');
    fc.assert(
      fc.property(method, url, (by, to) => {
        expect(routeOf(by, to)).toBe('not_found');
      }),
      { seed: 8, numRuns: 200 },
    );
  });
});

const digest = 'a'.repeat(64);
const good = { name: 'full-disk.4f1c', digest, decision: 'Approved' };

describe('what was decided', () => {
  test('is taken with what it is for', () => {
    expect(parseConsoleBody('/api/approval', JSON.stringify(good))).toEqual({
      kind: 'approval',
      body: good,
    });
    expect(parseConsoleBody('/api/switch', '{"paused":true,"reason":"moving racks"}')).toEqual({
      kind: 'switch',
      body: { paused: true, reason: 'moving racks' },
    });
  });

  test.each([
    ['without a digest', { digest: undefined }],
    ['with the beginning of a digest', { digest: digest.slice(0, 12) }],
    ['of a path', { name: '../opspolicies/default' }],
    ['with a query', { name: 'a?decision=Approved' }],
    ['of nothing', { name: '' }],
    ['that is neither', { decision: 'approve' }],
    ['with too long a reason', { reason: 'x'.repeat(1025) }],
    ['with more than that', { user: 'somebody-else' }],
  ])('%s is refused', (_, change) => {
    const text = JSON.stringify({ ...good, ...change });
    expect(() => parseConsoleBody('/api/approval', text)).toThrow('the page has sent');
  });

  test.each(['', '[]', 'null', '{"paused":"yes"}', '{"paused":true,"resets":9}'])(
    '%j is no switch',
    (text) => {
      expect(() => parseConsoleBody('/api/switch', text)).toThrow('the page has sent');
    },
  );
});
