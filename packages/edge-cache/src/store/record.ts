import { crc32 } from 'node:zlib';
import { isRecord } from '@tapline/base';
import type { KeyHash } from './key-hash.ts';
import { parseStoredHead } from './parse-stored-head.ts';
import { pieceBytes, type PieceSum } from './piece-sum.ts';
import type { StoredHead, StoredResponse } from './stored-response.ts';
import { parseVariantMarker, type VariantMarker } from './variant-marker.ts';

/**
 * A record in a segment: 32 bytes of lengths and sums, a sum of 4 bytes for each 64 KiB of the body, the
 * head as JSON, the body, and zeros up to a multiple of 16.
 *
 *   0 magic, 4 length of the head, 8 length of the body, 12 and 16 hash of the key,
 *   20 sum of the body's sums, 24 sum of the head, 28 sum of these 28 bytes
 */
export const recordHeaderBytes = 32;
const alignment = 16;
const magic = 0x32_43_4c_54;

/** What a record is made of. */
export type RecordContent = ({ readonly kind: 'response' } & StoredResponse) | VariantMarker;

export interface RecordHeader extends KeyHash {
  readonly headBytes: number;
  readonly bodyBytes: number;
  /** Of the whole record, padding included. */
  readonly length: number;
  /** Up to where the body begins. */
  readonly prefixBytes: number;
  readonly tableSum: number;
  readonly headSum: number;
}

/** All of a record but its body. */
export type RecordPrefix =
  | {
      readonly kind: 'response';
      readonly head: StoredHead;
      readonly bodyBytes: number;
      /** Where the body begins in the record. */
      readonly bodyOffset: number;
      readonly sums: Uint32Array;
    }
  | VariantMarker;

export function encodeRecord(
  content: RecordContent,
  { key, sum }: { readonly key: KeyHash; readonly sum: PieceSum },
): readonly Buffer[] {
  const response = content.kind === 'response';
  const head = Buffer.from(
    JSON.stringify(response ? { ...content.head, kind: 'response' } : content),
  );
  const body = response ? content.body : noBytes;
  const table = Buffer.alloc(tableBytes(body.length));
  for (let piece = 0; piece * 4 < table.length; piece += 1) {
    const at = piece * pieceBytes;
    table.writeUInt32LE(sum(body.subarray(at, at + pieceBytes)), piece * 4);
  }
  const header = Buffer.alloc(recordHeaderBytes);
  header.writeUInt32LE(magic, 0);
  header.writeUInt32LE(head.length, 4);
  header.writeUInt32LE(body.length, 8);
  header.writeUInt32LE(key.high, 12);
  header.writeUInt32LE(key.low, 16);
  header.writeUInt32LE(crc32(table), 20);
  header.writeUInt32LE(crc32(head), 24);
  header.writeUInt32LE(crc32(header.subarray(0, 28)), 28);
  const used = recordHeaderBytes + table.length + head.length + body.length;
  return [header, table, head, body, Buffer.alloc(padded(used) - used)];
}

/** Undefined where no record begins here. */
export function readRecordHeader(bytes: Buffer): RecordHeader | undefined {
  if (bytes.length < recordHeaderBytes || bytes.readUInt32LE(0) !== magic) return undefined;
  if (bytes.readUInt32LE(28) !== crc32(bytes.subarray(0, 28))) return undefined;
  const [headBytes, bodyBytes] = [bytes.readUInt32LE(4), bytes.readUInt32LE(8)];
  const prefixBytes = recordHeaderBytes + tableBytes(bodyBytes) + headBytes;
  return {
    headBytes,
    bodyBytes,
    prefixBytes,
    length: padded(prefixBytes + bodyBytes),
    high: bytes.readUInt32LE(12),
    low: bytes.readUInt32LE(16),
    tableSum: bytes.readUInt32LE(20),
    headSum: bytes.readUInt32LE(24),
  };
}

/** From the first bytes of a record, `prefixBytes` at least; undefined where a sum does not fit. */
export function decodePrefix(bytes: Buffer): RecordPrefix | undefined {
  const header = readRecordHeader(bytes);
  if (header === undefined || header.prefixBytes > bytes.length) return undefined;
  const headAt = header.prefixBytes - header.headBytes;
  const table = bytes.subarray(recordHeaderBytes, headAt);
  const text = bytes.subarray(headAt, header.prefixBytes);
  if (crc32(table) !== header.tableSum || crc32(text) !== header.headSum) return undefined;
  const value: unknown = JSON.parse(text.toString('utf8'));
  if (!isRecord(value)) return undefined;
  if (value['kind'] === 'variants') return parseVariantMarker(value);
  const head = parseStoredHead(value);
  if (head === undefined) return undefined;
  const sums = Uint32Array.from({ length: table.length / 4 }, (_, piece) =>
    table.readUInt32LE(piece * 4),
  );
  return {
    kind: 'response',
    head,
    bodyBytes: header.bodyBytes,
    bodyOffset: header.prefixBytes,
    sums,
  };
}

/** Whether bytes of a body are what was written; `at` is a multiple of `pieceBytes`. */
export function bodyFits(
  bytes: Buffer,
  { at, sums, sum }: { readonly at: number; readonly sums: Uint32Array; readonly sum: PieceSum },
): boolean {
  for (let from = 0; from < bytes.length; from += pieceBytes) {
    const piece = bytes.subarray(from, from + pieceBytes);
    if (sum(piece) !== sums[(at + from) / pieceBytes]) return false;
  }
  return true;
}

function tableBytes(bodyBytes: number): number {
  return 4 * Math.ceil(bodyBytes / pieceBytes);
}

function padded(bytes: number): number {
  return Math.ceil(bytes / alignment) * alignment;
}

const noBytes: Buffer = Buffer.alloc(0);
