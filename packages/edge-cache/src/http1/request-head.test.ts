import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseRequestHead } from './request-head.ts';

test('a head is read', () => {
  expect(
    parseRequestHead('GET /a?b HTTP/1.1\r\nHost: Edge:80\r\nAccept:  x \r\nAccept:y'),
  ).toMatchObject({
    kind: 'request',
    method: 'GET',
    target: '/a?b',
    authority: 'edge:80',
    fields: [
      ['host', 'Edge:80'],
      ['accept', 'x'],
      ['accept', 'y'],
    ],
    body: { kind: 'none' },
    keepAlive: true,
  });
});

test('an absolute target says where it goes, over Host', () => {
  expect(parseRequestHead('GET http://other/a HTTP/1.1\r\nHost: edge')).toMatchObject({
    authority: 'other',
    target: '/a',
  });
});

// Each of these is read differently by some server: RFC 9112 §11.2, smuggling.
test.each([
  [
    'both framings',
    'POST / HTTP/1.1\r\nHost: e\r\nContent-Length: 4\r\nTransfer-Encoding: chunked',
  ],
  ['two lengths', 'POST / HTTP/1.1\r\nHost: e\r\nContent-Length: 4\r\nContent-Length: 5'],
  ['two equal lengths', 'POST / HTTP/1.1\r\nHost: e\r\nContent-Length: 4\r\nContent-Length: 4'],
  ['a list of lengths', 'POST / HTTP/1.1\r\nHost: e\r\nContent-Length: 4, 4'],
  ['a signed length', 'POST / HTTP/1.1\r\nHost: e\r\nContent-Length: +4'],
  ['a hexadecimal length', 'POST / HTTP/1.1\r\nHost: e\r\nContent-Length: 0x4'],
  ['space before the colon', 'POST / HTTP/1.1\r\nHost: e\r\nContent-Length : 4'],
  ['a folded line', 'GET / HTTP/1.1\r\nHost: e\r\nA: b\r\n c'],
  ['a bare line feed', 'GET / HTTP/1.1\r\nHost: e\nA: b'],
  ['a bare carriage return', 'GET / HTTP/1.1\r\nHost: e\rA: b'],
  ['a zero byte', 'GET / HTTP/1.1\r\nHost: e\r\nA: b\0c'],
  ['another coding', 'POST / HTTP/1.1\r\nHost: e\r\nTransfer-Encoding: xchunked'],
  ['two codings', 'POST / HTTP/1.1\r\nHost: e\r\nTransfer-Encoding: gzip, chunked'],
  [
    'two coding lines',
    'POST / HTTP/1.1\r\nHost: e\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity',
  ],
  ['chunked in 1.0', 'POST / HTTP/1.0\r\nTransfer-Encoding: chunked'],
  ['no host', 'GET / HTTP/1.1\r\nA: b'],
  ['two hosts', 'GET / HTTP/1.1\r\nHost: a\r\nHost: b'],
  ['a host with a path', 'GET / HTTP/1.1\r\nHost: a/b'],
  ['a host with a user', 'GET / HTTP/1.1\r\nHost: u@a'],
  ['a space in the target', 'GET /a b HTTP/1.1\r\nHost: e'],
  ['a fragment', 'GET /a#b HTTP/1.1\r\nHost: e'],
  ['a backslash', 'GET /\\a HTTP/1.1\r\nHost: e'],
  ['a target without a slash', 'GET a HTTP/1.1\r\nHost: e'],
  ['another version', 'GET / HTTP/2.0\r\nHost: e'],
  ['a header without a name', 'GET / HTTP/1.1\r\nHost: e\r\n: b'],
])('%s is refused', (_, text) => {
  expect(parseRequestHead(text)).toMatchObject({ kind: 'refused' });
});

test('anything at all is read or refused', () => {
  fc.assert(
    fc.property(
      fc.string({
        unit: fc.constantFrom('GET', ' ', '/', 'HTTP/1.1', '\r\n', ':', 'a', '\0', ','),
      }),
      (text) => {
        expect(['request', 'refused']).toContain(parseRequestHead(text).kind);
      },
    ),
  );
});

// The usual line is read by a loop of its own: it must not take what the expressions refuse.
test('a GET of HTTP/1.1 is read as any other request line is', () => {
  const character = fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code));
  const target = fc.oneof(
    fc.string({ unit: fc.constantFrom('/', 'a', '?', ' ', '#', '\\', '\t', '\r', '\n', '\0') }),
    fc.string({ unit: character }),
  );
  fc.assert(
    fc.property(target, (rest) => {
      const read = (method: string): unknown =>
        parseRequestHead(`${method} /${rest} HTTP/1.1\r\nHost: e`);
      const other = read('HEAD');
      const expected =
        typeof other === 'object' && other !== null && 'method' in other
          ? { ...other, method: 'GET' }
          : other;
      expect(read('GET')).toEqual(expected);
    }),
  );
});
