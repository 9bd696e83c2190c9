import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ChunkedDecoder } from './chunked-decoder.ts';

function decode(
  bytes: Buffer,
  cuts: readonly number[],
): { body: string; rest: string; done: boolean } {
  const decoder = new ChunkedDecoder();
  const body: Uint8Array[] = [];
  const places = [
    ...new Set([...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length]),
  ].toSorted((a, b) => a - b);
  let from = 0;
  let rest: Uint8Array = new Uint8Array();
  let done = false;
  for (const to of places) {
    if (done) rest = Buffer.concat([rest, bytes.subarray(from, to)]);
    else {
      const decoded = decoder.feed(bytes.subarray(from, to));
      body.push(...decoded.body);
      ({ rest, done } = decoded);
    }
    from = to;
  }
  return {
    body: Buffer.concat(body).toString('latin1'),
    rest: Buffer.from(rest).toString('latin1'),
    done,
  };
}

test('a body comes out however it was cut, and what follows it stays', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ minLength: 1, maxLength: 40 })),
      fc.array(fc.nat(2000)),
      (chunks, cuts) => {
        const encoded = chunks.map((chunk) => {
          const bytes = Buffer.from(chunk);
          return Buffer.concat([
            Buffer.from(`${bytes.length.toString(16)};x=y\r\n`),
            bytes,
            Buffer.from('\r\n'),
          ]);
        });
        const whole = Buffer.concat([...encoded, Buffer.from('0\r\nT: t\r\n\r\nGET /')]);
        expect(decode(whole, cuts)).toEqual({
          body: Buffer.from(chunks.join('')).toString('latin1'),
          rest: 'GET /',
          done: true,
        });
      },
    ),
  );
});

test.each([
  '4\nabcd',
  '4\r\nabcdef\r\n',
  'g\r\n',
  '\r\n',
  '-1\r\n',
  '0x4\r\nabcd\r\n',
  '4 4\r\nabcd\r\n',
  'fffffffffffff\r\n',
])('%j is refused', (text) => {
  expect(() => new ChunkedDecoder().feed(Buffer.from(text))).toThrow(/the chunked body has/);
});
