import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { temporaryFolder } from '@tapline/testing';
import { expect, test } from 'vitest';
import { hitRatioOfLru } from './hit-ratio.ts';
import { readTrace } from './read-trace.ts';

// Beyond what a number holds exactly, so that ids that differ in the last bit stay two.
const ids = [2n ** 63n, 7n, 2n ** 63n + 1n, 7n, 2n ** 63n] as const;

function oracleGeneral(): Buffer {
  return Buffer.concat(
    ids.map((id, at) => {
      const record = Buffer.alloc(24);
      record.writeUInt32LE(at, 0);
      record.writeBigUInt64LE(id, 4);
      record.writeUInt32LE(100, 12);
      record.writeBigInt64LE(-1n, 16);
      return record;
    }),
  );
}

const csv = ids.map((id, at) => `${at}, ${id}, 100`).join('\n');

test.each([
  ['a.oracleGeneral.bin', oracleGeneral()],
  ['a.oracleGeneral.zst', zstdCompressSync(oracleGeneral())],
  ['a.csv', Buffer.from(`${csv}\n`)],
  ['named.csv', Buffer.from(`size,time,obj_id\n${ids.map((id) => `9,1,${id}`).join('\n')}`)],
  ['lines.txt.gz', gzipSync(ids.join('\n'))],
])('reads %s', async (name, bytes) => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, name);
  writeFileSync(path, bytes);
  const trace = readTrace(path);
  expect(trace).toMatchObject({ name: name.replace(/\.(gz|zst)$/, ''), objects: 3 });
  expect([...trace.requests]).toEqual([0, 1, 2, 1, 0]);
  expect(hitRatioOfLru(trace, 3)).toBe(2 / 5);
});

test('half a record and nothing at all are no traces', async () => {
  await using folder = await temporaryFolder();
  const [half, empty] = ['half.oracleGeneral', 'empty.csv'].map((name) => join(folder.path, name));
  writeFileSync(half ?? '', Buffer.alloc(30));
  writeFileSync(empty ?? '', '');
  expect(() => readTrace(half ?? '')).toThrow('30 bytes are no number of records of 24');
  expect(() => readTrace(empty ?? '')).toThrow('holds no request');
});
