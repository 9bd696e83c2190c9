import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import type { Trace } from './traces.ts';

const recordBytes = 24;
const mostRequests = 20_000_000;

/**
 * Requests out of a file: `oracleGeneral` (records of 24 bytes, little-endian: time u32, object u64, size
 * u32, next access i64) where its name holds that, otherwise text with a request a line, the object in
 * the column that the first line calls `obj_id`, `object`, `key` or `id`, or else in the second of several
 * columns. `.gz` and `.zst` are decompressed.
 */
export function readTrace(path: string): Trace {
  const bytes = decompressed(path, readFileSync(path));
  const objects = /oracleGeneral/i.test(basename(path)) ? binaryObjects(bytes) : textObjects(bytes);
  const numbers = new Map<string | bigint, number>();
  const requests: number[] = [];
  for (const object of objects) {
    const known = numbers.get(object) ?? numbers.size;
    if (known === numbers.size) numbers.set(object, known);
    requests.push(known);
    if (requests.length === mostRequests) break;
  }
  if (requests.length === 0) throw new Error(`${path} holds no request`);
  return {
    name: basename(path).replace(/\.(gz|zst)$/, ''),
    objects: numbers.size,
    requests: Uint32Array.from(requests),
  };
}

function decompressed(path: string, bytes: Buffer): Buffer {
  if (path.endsWith('.gz')) return gunzipSync(bytes);
  return path.endsWith('.zst') ? zstdDecompressSync(bytes) : bytes;
}

function* binaryObjects(bytes: Buffer): Generator<bigint> {
  if (bytes.length % recordBytes !== 0) {
    throw new Error(`${bytes.length} bytes are no number of records of ${recordBytes}`);
  }
  for (let at = 0; at < bytes.length; at += recordBytes) yield bytes.readBigUInt64LE(at + 4);
}

function columns(line: string): readonly string[] {
  return line.trim().split(/\s*[,;\t ]\s*/);
}

function* textObjects(bytes: Buffer): Generator<string> {
  const lines = bytes.toString('latin1').split('\n');
  const head = columns(lines[0] ?? '');
  const named = head.findIndex((name) =>
    /^#?"?(obj_?id|object|obj|key|cachekey|id)"?$/i.test(name),
  );
  const column = named === -1 ? Math.min(1, head.length - 1) : named;
  for (const line of named === -1 ? lines : lines.slice(1)) {
    const object = line === '' ? undefined : columns(line)[column];
    if (object !== undefined && object !== '') yield object;
  }
}
