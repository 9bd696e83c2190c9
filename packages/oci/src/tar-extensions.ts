import { decodeUtf8, type PaxRecords } from './pax-records.ts';
import type { TarEntry } from './tar-entry.ts';
import { tarError } from './tar-error.ts';
import type { TarHeader } from './tar-header.ts';

/** What headers before an entry's own one say of it. */
export interface TarExtensions {
  /** Global records with local ones on top. */
  readonly pax: PaxRecords;
  readonly gnuPath: string | undefined;
  readonly gnuLinkTarget: string | undefined;
}

export const xattrPrefix = 'SCHILY.xattr.';
// GNU's and star's keys of sparse files, whose content is not what `size` says.
const sparseKey = /^GNU\.sparse\.|^SCHILY\.realsize$/;

const kinds: ReadonlyMap<string, TarEntry['kind']> = new Map([
  ['0', 'file'],
  ['\0', 'file'],
  // POSIX: a reader without contiguous files takes them as regular ones.
  ['7', 'file'],
  ['1', 'hardlink'],
  ['2', 'symlink'],
  ['3', 'character-device'],
  ['4', 'block-device'],
  ['5', 'directory'],
  ['6', 'fifo'],
]);

/** The entry a header and the extended headers before it describe; `offset` is for errors. */
export function buildTarEntry(
  header: TarHeader,
  extensions: TarExtensions,
  offset: number,
): TarEntry {
  const { pax } = extensions;
  for (const key of pax.keys()) {
    if (sparseKey.test(key)) throw tarError('tar_unsupported', 'sparse file', offset);
  }
  const path =
    extensions.gnuPath ?? readText(pax.get('path') ?? header.path, { name: 'path', offset });
  const kind = kindOf(header.type, path, offset);
  const size = readNumber(pax, 'size', offset) ?? header.size;
  if (size < 0) throw tarError('tar_corrupt', `size is ${size}`, offset);
  const isLink = kind === 'symlink' || kind === 'hardlink';
  const xattrs = readXattrs(pax);
  return {
    kind,
    path: kind === 'directory' ? withoutTrailingSlashes(path) : path,
    mode: header.mode,
    uid: readNumber(pax, 'uid', offset) ?? header.uid,
    gid: readNumber(pax, 'gid', offset) ?? header.gid,
    // Only files have content here; some writers leave the size of a link's target or of a directory.
    size: kind === 'file' ? size : 0,
    mtimeSeconds: readNumber(pax, 'mtime', offset) ?? header.mtimeSeconds,
    ...(isLink && {
      linkTarget:
        extensions.gnuLinkTarget ??
        readText(pax.get('linkpath') ?? header.linkTarget, { name: 'link target', offset }),
    }),
    ...((kind === 'character-device' || kind === 'block-device') && { device: header.device }),
    ...(xattrs.size > 0 && { xattrs }),
  };
}

const globalKeys: ReadonlySet<string> = new Set([
  'path',
  'linkpath',
  'size',
  'uid',
  'gid',
  'mtime',
]);

/**
 * Those of a global header that can matter to every entry. The others, `comment` above all, would
 * only be carried along: a few, so that many global headers cost neither memory nor time.
 */
export function globalPaxRecords(records: PaxRecords): PaxRecords {
  return new Map([...records].filter(([key]) => globalKeys.has(key) || key === 'GNU.sparse.major'));
}

/** The records of `base` with those of `local` on top; an empty one takes the base's away. */
export function mergePaxRecords(base: PaxRecords, local: PaxRecords): PaxRecords {
  if (local.size === 0) return base;
  const merged = new Map(base);
  for (const [key, value] of local) {
    // An extended attribute may have an empty value; nothing else has a meaning for it.
    if (value.length === 0 && !key.startsWith(xattrPrefix)) merged.delete(key);
    else merged.set(key, value);
  }
  return merged;
}

function kindOf(type: string, path: string, offset: number): TarEntry['kind'] {
  const kind = kinds.get(type);
  if (kind !== undefined) return type === '\0' && path.endsWith('/') ? 'directory' : kind;
  const what = type === 'S' ? 'sparse file' : `entry of type ${JSON.stringify(type)}`;
  throw tarError('tar_unsupported', what, offset);
}

function withoutTrailingSlashes(path: string): string {
  let end = path.length;
  while (end > 1 && path[end - 1] === '/') end -= 1;
  return path.slice(0, end);
}

function readText(
  bytes: Uint8Array,
  place: { readonly name: string; readonly offset: number },
): string {
  const text = decodeUtf8(bytes);
  if (text === undefined) {
    throw tarError('tar_unsupported', `${place.name} is not UTF-8`, place.offset);
  }
  return text;
}

function readNumber(pax: PaxRecords, key: string, offset: number): number | undefined {
  const raw = pax.get(key);
  if (raw === undefined) return undefined;
  const text = readText(raw, { name: `pax ${key}`, offset });
  const pattern = key === 'mtime' ? /^-?\d{1,15}(?:\.\d*)?$/ : /^\d{1,16}$/;
  const value = pattern.test(text) ? Number(text) : Number.NaN;
  if (!(Math.abs(value) <= Number.MAX_SAFE_INTEGER)) {
    const shown = JSON.stringify(text.slice(0, 40));
    throw tarError('tar_corrupt', `pax ${key} is ${shown}, no number up to 2^53`, offset);
  }
  return value;
}

function readXattrs(pax: PaxRecords): ReadonlyMap<string, Uint8Array> {
  const xattrs = new Map<string, Uint8Array>();
  for (const [key, value] of pax) {
    if (key.startsWith(xattrPrefix)) xattrs.set(key.slice(xattrPrefix.length), value);
  }
  return xattrs;
}
