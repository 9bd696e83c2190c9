import { randomBytes } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { unpackGzip } from './unpack-gzip.ts';

function unpack(file: Uint8Array): Buffer {
  let at = 0;
  const read = (into: Uint8Array): number => {
    const part = file.subarray(at, at + into.length);
    into.set(part);
    at += part.length;
    return part.length;
  };
  const parts: Buffer[] = [];
  for (const part of unpackGzip(read, () => undefined)) parts.push(Buffer.from(part));
  return Buffer.concat(parts);
}

test('several members are one file, and what follows them is ignored', () => {
  const large = randomBytes(700_000);
  const file = Buffer.concat([gzipSync('one'), gzipSync(''), gzipSync(large), Buffer.alloc(900)]);
  expect(unpack(file).equals(Buffer.concat([Buffer.from('one'), large]))).toBe(true);
});

test('what a header may have besides is passed over', () => {
  const plain = gzipSync('content');
  const flags = 2 | 4 | 8 | 16;
  const header = Buffer.from([0x1f, 0x8b, 8, flags, 1, 2, 3, 4, 0, 3, 2, 0, 9, 9]);
  const names = Buffer.from('name\0comment\0cc', 'latin1');
  expect(unpack(Buffer.concat([header, names, plain.subarray(10)])).toString()).toBe('content');
});

test.each([
  ['nothing', Buffer.alloc(0)],
  ['another format', Buffer.from('PK\x03\x04 and more that is no gzip file')],
  ['another compression', Buffer.from([0x1f, 0x8b, 7, 0, 0, 0, 0, 0, 0, 0])],
  ['a header cut short', Buffer.from([0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 0, 65])],
  ['no checksum', gzipSync('content').subarray(0, -8)],
  ['half a size', gzipSync('content').subarray(0, -2)],
])('%s is refused', (_, file) => {
  expect(() => unpack(file)).toThrow(expect.objectContaining({ code: 'gzip_corrupt' }));
});

function outcome(decode: () => Buffer): string {
  try {
    return decode().toString();
  } catch (error) {
    return error instanceof Error ? 'refused' : 'thrown';
  }
}

test('what is damaged is refused where zlib refuses it', () => {
  const data = Buffer.from('a line of a file, and another one\n'.repeat(40));
  const whole = gzipSync(data);
  // zlib does not look at the time and the system; bits behind the last block mean nothing to either.
  for (let place = 10; place < whole.length; place += 1) {
    for (let bit = 0; bit < 8; bit += 1) {
      const file = Buffer.from(whole);
      file[place] = (file[place] ?? 0) ^ (1 << bit);
      expect(outcome(() => unpack(file))).toBe(outcome(() => gunzipSync(file)));
    }
  }
});
