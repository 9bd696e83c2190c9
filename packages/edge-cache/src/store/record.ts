import { crc32 } from 'node:zlib';
import { isRecord } from '@tapline/base';
import type { KeyHash } from './key-hash.ts';
import type { VariantMarker } from './memory-tier.ts';
import type { StoredHead, StoredResponse } from './stored-response.ts';

/**
 * A record in a segment: 32 bytes of lengths and sums, the head as JSON, the body, and zeros up to a
 * multiple of 16.
 *
 *   0 magic, 4 length of the head, 8 length of the body, 12 and 16 hash of the key,
 *   20 sum of the head, 24 sum of the body, 28 sum of these 28 bytes
 */
export const recordHeaderBytes = 32;
const alignment = 16;
const magic = 0x31_43_4c_54;

/** What a record holds. */
export type RecordContent = ({ readonly kind: 'response' } & StoredResponse) | VariantMarker;

export interface RecordHeader extends KeyHash {
  readonly headBytes: number;
  readonly bodyBytes: number;
  /** Of the whole record, padding included. */
  readonly length: number;
  readonly headSum: number;
  readonly bodySum: number;
}

export function encodeRecord(content: RecordContent, key: KeyHash): readonly Buffer[] {
  const response = content.kind === 'response';
  const head = Buffer.from(
    JSON.stringify(response ? { ...content.head, kind: 'response' } : content),
  );
  const body = response ? content.body : noBytes;
  const header = Buffer.alloc(recordHeaderBytes);
  header.writeUInt32LE(magic, 0);
  header.writeUInt32LE(head.length, 4);
  header.writeUInt32LE(body.length, 8);
  header.writeUInt32LE(key.high, 12);
  header.writeUInt32LE(key.low, 16);
  header.writeUInt32LE(crc32(head), 20);
  header.writeUInt32LE(crc32(body), 24);
  header.writeUInt32LE(crc32(header.subarray(0, 28)), 28);
  const padding =
    paddedLength(head.length, body.length) - recordHeaderBytes - head.length - body.length;
  return [header, head, body, Buffer.alloc(padding)];
}

/** Undefined where no record begins here. */
export function readRecordHeader(bytes: Buffer): RecordHeader | undefined {
  if (bytes.length < recordHeaderBytes || bytes.readUInt32LE(0) !== magic) return undefined;
  if (bytes.readUInt32LE(28) !== crc32(bytes.subarray(0, 28))) return undefined;
  const [headBytes, bodyBytes] = [bytes.readUInt32LE(4), bytes.readUInt32LE(8)];
  return {
    headBytes,
    bodyBytes,
    length: paddedLength(headBytes, bodyBytes),
    high: bytes.readUInt32LE(12),
    low: bytes.readUInt32LE(16),
    headSum: bytes.readUInt32LE(20),
    bodySum: bytes.readUInt32LE(24),
  };
}

/** What a whole record holds; undefined where a sum does not fit. The body is a view of `bytes`. */
export function decodeRecord(bytes: Buffer): RecordContent | undefined {
  const header = readRecordHeader(bytes);
  if (header === undefined || header.length > bytes.length) return undefined;
  const headEnd = recordHeaderBytes + header.headBytes;
  const head = bytes.subarray(recordHeaderBytes, headEnd);
  const body = bytes.subarray(headEnd, headEnd + header.bodyBytes);
  if (crc32(head) !== header.headSum || crc32(body) !== header.bodySum) return undefined;
  // The sum says that we wrote it.
  const value: unknown = JSON.parse(head.toString('utf8'));
  if (!isRecord(value)) return undefined;
  if (value['kind'] === 'variants') return value as unknown as VariantMarker;
  return { kind: 'response', head: value as unknown as StoredHead, body };
}

function paddedLength(headBytes: number, bodyBytes: number): number {
  return Math.ceil((recordHeaderBytes + headBytes + bodyBytes) / alignment) * alignment;
}

const noBytes: Buffer = Buffer.alloc(0);
