import { type FileHandle, open, rename, rm, writeFile } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import type { RecordEntry, SegmentEntry } from './disk-index.ts';
import { readRecordHeader, recordHeaderBytes } from './record.ts';

const entryBytes = 16;
const indexMagic = 0x31_49_4c_54;
const indexHeaderBytes = 16;
const scanBytes = 1024 * 1024;

/**
 * A segment on disk: `<id>.<queue>.seg` with the records one after the other, and once it is full
 * `<id>.<queue>.idx` with where each is, so that a restart reads 16 bytes per record.
 */
export class SegmentFile {
  readonly entry: SegmentEntry;
  readonly path: string;
  /** To be read from while it is held. */
  readonly file: FileHandle;
  /** Of what was appended; dropped when the segment is sealed. */
  #records: RecordEntry[] = [];
  #sealed: boolean;
  #holders = 0;
  #doomed = false;

  private constructor(init: {
    readonly entry: SegmentEntry;
    readonly path: string;
    readonly file: FileHandle;
    readonly sealed: boolean;
  }) {
    this.entry = init.entry;
    this.path = init.path;
    this.file = init.file;
    this.#sealed = init.sealed;
  }

  static async create(path: string, entry: SegmentEntry): Promise<SegmentFile> {
    return new SegmentFile({ entry, path, file: await open(path, 'wx+', 0o600), sealed: false });
  }

  /** Opens one of an earlier run. */
  static async open(path: string, entry: SegmentEntry): Promise<SegmentFile> {
    return new SegmentFile({ entry, path, file: await open(path, 'r'), sealed: true });
  }

  /** Writes a record at the end; where that fails the next one goes over what was written. */
  async append(
    buffers: readonly Buffer[],
    key: { readonly high: number; readonly low: number },
  ): Promise<RecordEntry> {
    const offset = this.entry.bytes;
    const length = buffers.reduce((sum, buffer) => sum + buffer.length, 0);
    let written = 0;
    // A write may be short: a full disk takes what still fits.
    const all = length <= joinBytes ? [Buffer.concat(buffers)] : buffers;
    for (const buffer of all) {
      for (let at = 0; at < buffer.length;) {
        const { bytesWritten } = await this.file.write(
          buffer,
          at,
          buffer.length - at,
          offset + written,
        );
        at += bytesWritten;
        written += bytesWritten;
      }
    }
    const record = { high: key.high, low: key.low, offset, length };
    this.#records.push(record);
    this.entry.bytes += length;
    return record;
  }

  /** Keeps the file open until `release`, also where it is removed; false where it was removed before. */
  hold(): boolean {
    if (this.#doomed) return false;
    this.#holders += 1;
    return true;
  }

  async release(): Promise<void> {
    this.#holders -= 1;
    if (this.#doomed && this.#holders === 0) await this.file.close();
  }

  /** Writes down where each record is; nothing is appended after it. */
  async seal(): Promise<void> {
    if (this.#sealed) return;
    this.#sealed = true;
    const path = indexPath(this.path);
    await writeFile(`${path}.new`, encodeIndex(this.#records), { mode: 0o600 });
    await rename(`${path}.new`, path);
    this.#records = [];
  }

  /** The records, as they were appended. */
  async records(): Promise<readonly RecordEntry[]> {
    if (!this.#sealed) return this.#records;
    return (await readIndex(this.path)) ?? (await scanSegment(this.file));
  }

  /** For a segment of an earlier run without an index: what can be read of it. */
  async scan(): Promise<readonly RecordEntry[]> {
    return await scanSegment(this.file);
  }

  /** Removes it; who reads still reads to the end. */
  async remove(): Promise<void> {
    await rm(this.path, { force: true });
    await rm(indexPath(this.path), { force: true });
    this.#doomed = true;
    if (this.#holders === 0) await this.file.close();
  }

  async close(): Promise<void> {
    if (!this.#doomed) await this.file.close();
  }
}

/** Small records go out in one write. */
const joinBytes = 64 * 1024;

export function indexPath(segmentPath: string): string {
  return segmentPath.replace(/\.seg$/, '.idx');
}

/** The index as numbers, four to a record: high, low, offset in units of 16, length. */
export async function readIndexArray(segmentPath: string): Promise<Uint32Array | undefined> {
  let file: FileHandle;
  try {
    file = await open(indexPath(segmentPath), 'r');
  } catch {
    // Not sealed before the end of that run.
    return undefined;
  }
  await using _ = file;
  const { size } = await file.stat();
  if (size < indexHeaderBytes || (size - indexHeaderBytes) % entryBytes !== 0) return undefined;
  const bytes = new Uint8Array(size);
  let at = 0;
  while (at < size) {
    const { bytesRead } = await file.read(bytes, at, size - at, at);
    if (bytesRead === 0) return undefined;
    at += bytesRead;
  }
  const header = new DataView(bytes.buffer, 0, indexHeaderBytes);
  const body = bytes.subarray(indexHeaderBytes);
  if (header.getUint32(0, true) !== indexMagic) return undefined;
  if (header.getUint32(4, true) * entryBytes !== body.length) return undefined;
  if (header.getUint32(8, true) !== crc32(body)) return undefined;
  return new Uint32Array(bytes.buffer, indexHeaderBytes);
}

async function readIndex(segmentPath: string): Promise<readonly RecordEntry[] | undefined> {
  const array = await readIndexArray(segmentPath);
  if (array === undefined) return undefined;
  const records: RecordEntry[] = [];
  for (let at = 0; at + 3 < array.length; at += 4) {
    records.push({
      high: array[at] ?? 0,
      low: array[at + 1] ?? 0,
      offset: (array[at + 2] ?? 0) * entryBytes,
      length: array[at + 3] ?? 0,
    });
  }
  return records;
}

function encodeIndex(records: readonly RecordEntry[]): Buffer {
  const bytes = Buffer.alloc(indexHeaderBytes + records.length * entryBytes);
  let at = indexHeaderBytes;
  for (const { high, low, offset, length } of records) {
    bytes.writeUInt32LE(high, at);
    bytes.writeUInt32LE(low, at + 4);
    bytes.writeUInt32LE(offset / entryBytes, at + 8);
    bytes.writeUInt32LE(length, at + 12);
    at += entryBytes;
  }
  bytes.writeUInt32LE(indexMagic, 0);
  bytes.writeUInt32LE(records.length, 4);
  bytes.writeUInt32LE(crc32(bytes.subarray(indexHeaderBytes)), 8);
  return bytes;
}

/** Walks from record to record, until one is torn or damaged. */
async function scanSegment(file: FileHandle): Promise<readonly RecordEntry[]> {
  const { size } = await file.stat();
  const records: RecordEntry[] = [];
  const window = Buffer.alloc(scanBytes);
  let windowAt = 0;
  let windowBytes = 0;
  for (let offset = 0; offset + recordHeaderBytes <= size;) {
    if (offset < windowAt || offset + recordHeaderBytes > windowAt + windowBytes) {
      const { bytesRead } = await file.read(window, 0, scanBytes, offset);
      windowAt = offset;
      windowBytes = bytesRead;
      if (bytesRead < recordHeaderBytes) break;
    }
    const header = readRecordHeader(
      window.subarray(offset - windowAt, offset - windowAt + recordHeaderBytes),
    );
    if (header === undefined || offset + header.length > size) break;
    records.push({ high: header.high, low: header.low, offset, length: header.length });
    offset += header.length;
  }
  return records;
}
