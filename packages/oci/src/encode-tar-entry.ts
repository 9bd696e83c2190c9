import { concatBytes, TaplineError } from '@tapline/base';
import { encodePaxRecords } from './pax-records.ts';
import type { TarEntry } from './tar-entry.ts';
import { xattrPrefix } from './tar-extensions.ts';
import { checksumField, tarBlockSize } from './tar-header.ts';

const types: Readonly<Record<TarEntry['kind'], string>> = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  'character-device': '3',
  'block-device': '4',
  directory: '5',
  fifo: '6',
};
const maxOctal7 = 0o7777777;
const maxOctal11 = 0o77777777777;
const encoder = new TextEncoder();

/**
 * The header blocks of an entry; its content and {@link tarPadding} come after. Equal entries give
 * equal bytes: ustar (POSIX.1-2017, pax) without owner names, with a pax header for only what ustar
 * cannot hold. Times keep the precision of a double, some 0.2 µs today. Throws `tar_entry_invalid`.
 */
export function encodeTarEntry(entry: TarEntry): Uint8Array {
  checkEntry(entry);
  const pax = new Map<string, Uint8Array>();
  const path = encoder.encode(entry.kind === 'directory' ? `${entry.path}/` : entry.path);
  const place = placePath(path);
  if (place === undefined) pax.set('path', path);
  const linkTarget = encoder.encode(entry.linkTarget ?? '');
  const linkFits = linkTarget.length <= 100 && isAscii(linkTarget);
  if (!linkFits) pax.set('linkpath', linkTarget);
  const fitting = (key: string, value: number, max: number): number => {
    if (Number.isInteger(value) && value >= 0 && value <= max) return value;
    pax.set(key, encoder.encode(formatDecimal(value)));
    return 0;
  };
  const uid = fitting('uid', entry.uid, maxOctal7);
  const gid = fitting('gid', entry.gid, maxOctal7);
  const size = fitting('size', entry.size, maxOctal11);
  const mtime = fitting('mtime', entry.mtimeSeconds, maxOctal11);
  for (const [name, value] of entry.xattrs ?? []) pax.set(xattrPrefix + name, value);

  const header = encodeHeader({
    type: types[entry.kind],
    name: place?.name ?? path.slice(0, 100),
    prefix: place?.prefix ?? new Uint8Array(),
    linkTarget: linkFits ? linkTarget : linkTarget.subarray(0, 100),
    mode: entry.mode,
    uid,
    gid,
    size,
    mtime,
    device: entry.device ?? { major: 0, minor: 0 },
  });
  if (pax.size === 0) return header;
  const records = encodePaxRecords(pax);
  const paxHeader = encodeHeader({
    type: 'x',
    // The name only shows where a reader knows no pax.
    name: encoder.encode('././@PaxHeader'),
    prefix: new Uint8Array(),
    linkTarget: new Uint8Array(),
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: records.length,
    mtime: 0,
    device: { major: 0, minor: 0 },
  });
  return concatBytes([paxHeader, records, tarPadding(records.length), header]);
}

/** The zeros that fill the last block of `size` bytes of content. */
export function tarPadding(size: number): Uint8Array {
  return new Uint8Array((tarBlockSize - (size % tarBlockSize)) % tarBlockSize);
}

/** The two zero blocks that end an archive. */
export function tarTrailer(): Uint8Array {
  return new Uint8Array(2 * tarBlockSize);
}

interface HeaderFields {
  readonly type: string;
  readonly name: Uint8Array;
  readonly prefix: Uint8Array;
  readonly linkTarget: Uint8Array;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: number;
  readonly device: { readonly major: number; readonly minor: number };
}

function encodeHeader(fields: HeaderFields): Uint8Array {
  const block = new Uint8Array(tarBlockSize);
  const octal = (offset: number, digits: number, value: number): void => {
    encoder.encodeInto(value.toString(8).padStart(digits, '0'), block.subarray(offset));
  };
  block.set(fields.name, 0);
  octal(100, 7, fields.mode);
  octal(108, 7, fields.uid);
  octal(116, 7, fields.gid);
  octal(124, 11, fields.size);
  octal(136, 11, fields.mtime);
  encoder.encodeInto(fields.type, block.subarray(156));
  block.set(fields.linkTarget, 157);
  encoder.encodeInto('ustar\u000000', block.subarray(257));
  octal(329, 7, fields.device.major);
  octal(337, 7, fields.device.minor);
  block.set(fields.prefix, 345);
  const { offset, length } = checksumField;
  let sum = 0x20 * length;
  for (const byte of block) sum += byte;
  octal(offset, 6, sum);
  block[offset + 7] = 0x20;
  return block;
}

/** Name and prefix of a path that ustar can hold, undefined for one that it cannot. */
function placePath(
  path: Uint8Array,
): { readonly name: Uint8Array; readonly prefix: Uint8Array } | undefined {
  if (!isAscii(path)) return undefined;
  if (path.length <= 100) return { name: path, prefix: new Uint8Array() };
  const slash = 0x2f;
  // The earliest split whose name fits; a directory's own trailing slash is no place for it.
  const split = path.indexOf(slash, path.length - 101);
  if (split < 1 || split > 155 || split === path.length - 1) return undefined;
  return { name: path.subarray(split + 1), prefix: path.subarray(0, split) };
}

function isAscii(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte < 0x80);
}

function formatDecimal(value: number): string {
  if (Number.isInteger(value)) return String(value);
  return value.toFixed(9).replace(/\.?0+$/, '');
}

function checkEntry(entry: TarEntry): void {
  const isLink = entry.kind === 'symlink' || entry.kind === 'hardlink';
  const wrong =
    entry.path === '' || entry.path.includes('\0')
      ? 'its path is empty or has a NUL'
      : isLink !== (entry.linkTarget !== undefined)
        ? `a ${entry.kind} ${isLink ? 'needs a' : 'has no'} link target`
        : entry.linkTarget === '' || entry.linkTarget?.includes('\0')
          ? 'its link target is empty or has a NUL'
          : entry.kind !== 'file' && entry.size !== 0
            ? `a ${entry.kind} has no content, not ${entry.size} bytes`
            : ![entry.size, entry.uid, entry.gid].every(isCount)
              ? `size ${entry.size}, uid ${entry.uid} and gid ${entry.gid} must be from 0 to 2^53-1`
              : !Number.isInteger(entry.mode) || entry.mode < 0 || entry.mode > 0o7777
                ? `mode ${entry.mode} is not from 0 to 0o7777`
                : !(Math.abs(entry.mtimeSeconds) < 1e15)
                  ? `mtime ${entry.mtimeSeconds} is not within 1e15 seconds of the epoch`
                  : undefined;
  if (wrong !== undefined) {
    const shown = JSON.stringify(entry.path.slice(0, 300));
    throw new TaplineError('tar_entry_invalid', `tar entry ${shown} cannot be written: ${wrong}`);
  }
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
