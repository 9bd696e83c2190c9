import { createHash } from 'node:crypto';
import { constants, gunzip, inflateRaw, zstdDecompress } from 'node:zlib';
import { promisify } from 'node:util';
import { collectBytes, TaplineError } from '@tapline/base';
import {
  type Digest,
  type FileIndex,
  fileIndexMediaType,
  type IndexedPath,
  parseFileIndex,
} from '@tapline/oci';
import type { RegistryClient, RequestOptions } from './registry-client.ts';

type IndexedFile = Extract<IndexedPath, { kind: 'file' }>;

export interface ReadImageFile {
  readonly repository: string;
  /** Of the image of one platform. */
  readonly digest: Digest;
  /** Absolute; links are followed, as they are within the image. */
  readonly path: string;
}

export interface FileOfImage {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly digest: Digest;
  /** What was fetched of layers. */
  readonly fetchedBytes: number;
}

export interface ReadImageFileOptions extends RequestOptions {
  /** Throws unless the manifest of the file index is one to believe: it says what the file is. */
  readonly verify?: (indexManifest: Digest) => Promise<void>;
}

const maxIndexBytes = 64 * 1024 * 1024;
const maxUnpackedIndexBytes = 256 * 1024 * 1024;
const maxLinks = 40;

/**
 * Reads one file of an image by fetching the pieces of the layer that hold it, and no more. Throws
 * `file_index_missing`, `file_not_found`, `digest_mismatch`, `range_unsupported`.
 */
export async function readImageFile(
  client: Pick<RegistryClient, 'referrers' | 'manifest' | 'blob' | 'blobRange'>,
  file: ReadImageFile,
  options: ReadImageFileOptions = {},
): Promise<FileOfImage> {
  const indexes = await fetchIndexes(client, file, options);
  const { index, entry } = findFile(indexes, file);
  const { bytes, fetchedBytes } = await fetchFile(client, { ...file, index, entry }, options);
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  if (digest !== entry.digest) {
    throw new TaplineError('digest_mismatch', `${file.path} has ${digest}, not ${entry.digest}`);
  }
  return { path: `/${entry.path}`, bytes, digest: entry.digest, fetchedBytes };
}

/** Of the topmost layer first. */
async function fetchIndexes(
  client: Pick<RegistryClient, 'referrers' | 'manifest' | 'blob'>,
  { repository, digest }: ReadImageFile,
  { signal, verify }: ReadImageFileOptions,
): Promise<readonly FileIndex[]> {
  const options = signal === undefined ? {} : { signal };
  const filter = { ...options, artifactType: fileIndexMediaType };
  const [referrer] = await client.referrers(repository, digest, filter);
  if (referrer === undefined) {
    throw new TaplineError('file_index_missing', `image ${digest} has no file index`, {
      hint: 'build it with `tapline brew2oci --file-index`',
    });
  }
  await verify?.(referrer.digest);
  const { manifest } = await client.manifest(repository, referrer.digest, options);
  const layers = manifest.kind === 'manifest' ? manifest.manifest.layers : [];
  const indexes = await Promise.all(
    layers.map(async (layer) => {
      const compressed = await collectBytes(client.blob(repository, layer, options), {
        maxBytes: maxIndexBytes,
        tooLarge: () =>
          new TaplineError('file_index_invalid', `a file index exceeds ${maxIndexBytes} bytes`),
      });
      const limit = { maxOutputLength: maxUnpackedIndexBytes };
      return parseFileIndex(await promisify(gunzip)(compressed, limit));
    }),
  );
  return indexes.toReversed();
}

function findFile(
  indexes: readonly FileIndex[],
  { path }: ReadImageFile,
): { readonly index: FileIndex; readonly entry: IndexedFile } {
  const byPath = new Map<string, { readonly index: FileIndex; readonly entry: IndexedPath }>();
  for (const index of indexes) {
    for (const entry of index.paths) {
      if (!byPath.has(entry.path)) byPath.set(entry.path, { index, entry });
    }
  }
  let names = path.split('/');
  for (let links = 0; links < maxLinks; links += 1) {
    const place = walk(names, (at) => byPath.get(at)?.entry);
    if (place.kind === 'link') {
      names = place.names;
      continue;
    }
    const found = byPath.get(place.path);
    if (found?.entry.kind === 'file') return { index: found.index, entry: found.entry };
    break;
  }
  throw new TaplineError('file_not_found', `the image has no file ${JSON.stringify(path)}`);
}

/** Goes down a path to its end, or to the first link, which it puts in. */
function walk(
  names: readonly string[],
  entryAt: (path: string) => IndexedPath | undefined,
):
  | { readonly kind: 'end'; readonly path: string }
  | { readonly kind: 'link'; readonly names: string[] } {
  const at: string[] = [];
  for (const [depth, name] of names.entries()) {
    if (name === '' || name === '.') continue;
    if (name === '..') {
      at.pop();
      continue;
    }
    const entry = entryAt([...at, name].join('/'));
    if (entry?.kind === 'symlink') {
      const base = entry.target.startsWith('/') ? [] : at;
      return {
        kind: 'link',
        names: [...base, ...entry.target.split('/'), ...names.slice(depth + 1)],
      };
    }
    at.push(name);
  }
  return { kind: 'end', path: at.join('/') };
}

async function fetchFile(
  client: Pick<RegistryClient, 'blobRange'>,
  wanted: { readonly repository: string; readonly index: FileIndex; readonly entry: IndexedFile },
  { signal }: ReadImageFileOptions,
): Promise<{ readonly bytes: Uint8Array; readonly fetchedBytes: number }> {
  const { repository, index, entry } = wanted;
  const { offset, size } = entry;
  if (size === 0) return { bytes: new Uint8Array(0), fetchedBytes: 0 };
  const first = Math.floor(offset / index.pieceBytes);
  const last = Math.floor((offset + size - 1) / index.pieceBytes);
  const starts = [...index.pieces, index.end];
  const start = starts[first] ?? 0;
  const end = starts[last + 1] ?? index.end;
  const options = signal === undefined ? {} : { signal };
  const range = await client.blobRange(repository, { digest: index.layer, start, end }, options);
  const parts: Uint8Array[] = [];
  for (let piece = first; piece <= last; piece += 1) {
    const from = (starts[piece] ?? start) - start;
    const to = (starts[piece + 1] ?? end) - start;
    parts.push(await unpackPiece(index, range.subarray(from, to)));
  }
  const from = offset - first * index.pieceBytes;
  return { bytes: Buffer.concat(parts).subarray(from, from + size), fetchedBytes: range.length };
}

async function unpackPiece(
  { compression, pieceBytes }: FileIndex,
  piece: Uint8Array,
): Promise<Uint8Array> {
  const limit = { maxOutputLength: pieceBytes };
  if (compression === 'zstd') return await promisify(zstdDecompress)(piece, limit);
  // It ends where the next one begins, without a last block.
  return await promisify(inflateRaw)(piece, { ...limit, finishFlush: constants.Z_SYNC_FLUSH });
}
