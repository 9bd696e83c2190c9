import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FieldMemory } from './field-memory.ts';
import { parseRequestHead } from './request-head.ts';

const line = fc.constantFrom(
  'Host: edge',
  'Host: Other:81',
  'Host: e/',
  'Range: bytes=0-1',
  'Authorization: a',
  'Connection: close',
  'Connection: keep-alive',
  'Content-Length: 4',
  'Transfer-Encoding: chunked',
  'Expect: 100-continue',
  'Bad Name: x',
  'X: \r',
);
const head = fc
  .tuple(
    fc.constantFrom('GET /a HTTP/1.1', 'GET http://third/a HTTP/1.1', 'PUT /b HTTP/1.0', 'GET /a'),
    fc.array(line, { maxLength: 3 }),
  )
  .map(([first, lines]) => [first, ...lines].join('\r\n'));

test('heads of one connection are read as if each were the first', () => {
  fc.assert(
    fc.property(fc.array(head, { minLength: 2, maxLength: 8 }), (heads) => {
      const memory = new FieldMemory();
      for (const text of heads) {
        expect(parseRequestHead(text, memory.parse)).toEqual(parseRequestHead(text));
      }
    }),
  );
});

test('fields that are sent again are not read again, long ones are', () => {
  const memory = new FieldMemory();
  const short = 'Host: edge\r\nAccept: x';
  expect(memory.parse(short)).toBe(memory.parse(['Host: edge', 'Accept: x'].join('\r\n')));
  const long = `Host: edge\r\nCookie: ${'c'.repeat(3000)}`;
  expect(memory.parse(long)).not.toBe(memory.parse(long));
});
