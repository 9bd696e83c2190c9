import { canonicalJson } from '@tapline/base';
import type { Digest } from './digest.ts';
import {
  invalidField,
  type JsonField,
  member,
  parseJsonDocument,
  readArray,
  readSize,
  readString,
} from './json-field.ts';
import { readDigest } from './read-descriptor.ts';

/** A path of a layer, without a leading slash; hard links are files like any other. */
export type IndexedPath =
  | {
      readonly kind: 'file';
      readonly path: string;
      /** Of its first byte within the unpacked tar. */
      readonly offset: number;
      readonly size: number;
      readonly digest: Digest;
    }
  | { readonly kind: 'symlink'; readonly path: string; readonly target: string };

/**
 * Where the files of a layer lie, so that one can be fetched alone: the tar was compressed in pieces
 * of `pieceBytes` (the last may be shorter) that begin at `pieces` in the layer's blob, and each is
 * decompressed apart from the others, as raw deflate or as a zstd frame.
 */
export interface FileIndex {
  readonly layer: Digest;
  readonly compression: 'gzip' | 'zstd';
  readonly pieceBytes: number;
  /** Ascending; what follows the last piece's start up to `end` is that piece. */
  readonly pieces: readonly number[];
  readonly end: number;
  readonly paths: readonly IndexedPath[];
}

export const fileIndexMediaType = 'application/vnd.tapline.file-index.v1+json';

const maxIndexBytes = 256 * 1024 * 1024;
const maxPieceBytes = 64 * 1024 * 1024;

/** Equal indexes give equal bytes. */
export function encodeFileIndex(index: FileIndex): Uint8Array {
  return new TextEncoder().encode(canonicalJson(index));
}

/** Throws `file_index_invalid` naming the field. */
export function parseFileIndex(input: Uint8Array | string): FileIndex {
  const root = parseJsonDocument(input, {
    code: 'file_index_invalid',
    name: 'file index',
    maxBytes: maxIndexBytes,
  });
  const compression = member(root, 'compression');
  if (compression.value !== 'gzip' && compression.value !== 'zstd') {
    throw invalidField(compression, 'gzip or zstd');
  }
  const pieceBytes = readSize(member(root, 'pieceBytes'));
  if (pieceBytes === 0 || pieceBytes > maxPieceBytes) {
    throw invalidField(member(root, 'pieceBytes'), `from 1 to ${maxPieceBytes}`);
  }
  const pieces = readArray(member(root, 'pieces'), { max: 10_000_000, read: readSize });
  const end = readSize(member(root, 'end'));
  if ([...pieces, end].some((start, at) => at > 0 && start <= (pieces[at - 1] ?? 0))) {
    throw invalidField(member(root, 'pieces'), 'ascending and before the end');
  }
  return {
    layer: readDigest(member(root, 'layer')),
    compression: compression.value,
    pieceBytes,
    pieces,
    end,
    paths: readArray(member(root, 'paths'), {
      max: 10_000_000,
      read: (field) => readIndexedPath(field, pieces.length * pieceBytes),
    }),
  };
}

function readIndexedPath(field: JsonField, tarBytes: number): IndexedPath {
  const path = readString(member(field, 'path'));
  const kind = member(field, 'kind');
  if (kind.value === 'symlink') {
    return { kind: 'symlink', path, target: readString(member(field, 'target')) };
  }
  if (kind.value !== 'file') throw invalidField(kind, 'file or symlink');
  const offset = readSize(member(field, 'offset'));
  const size = readSize(member(field, 'size'));
  if (offset + size > tarBytes) {
    throw invalidField(member(field, 'size'), `within the ${tarBytes} bytes of the layer`);
  }
  return { kind: 'file', path, offset, size, digest: readDigest(member(field, 'digest')) };
}
