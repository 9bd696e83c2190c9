import { viewOf } from '../guest-memory.ts';
import type { OpenFile } from '../open-file.ts';

const format = { file: 0o100000, directory: 0o040000, link: 0o120000, pipe: 0o010000 } as const;
const blockSize = 4096;

/** struct stat of arm64 (include/uapi/asm-generic/stat.h), 128 bytes. */
export function writeStat(room: Uint8Array, file: OpenFile): void {
  room.fill(0);
  const view = viewOf(room);
  view.setBigUint64(0, 1n, true);
  view.setInt32(56, blockSize, true);
  if (file.kind !== 'node') {
    view.setUint32(16, format.pipe | 0o600, true);
    view.setUint32(20, 1, true);
    return;
  }
  const { node } = file;
  const size =
    node.kind === 'file'
      ? node.bytes.length
      : node.kind === 'link'
        ? new TextEncoder().encode(node.target).length
        : blockSize;
  view.setBigUint64(8, BigInt(node.inode), true);
  view.setUint32(16, format[node.kind] | node.mode, true);
  view.setUint32(20, linksOf(file), true);
  view.setBigInt64(48, BigInt(size), true);
  view.setBigInt64(64, BigInt(Math.ceil(size / blockSize) * (blockSize / 512)), true);
  for (const at of [72, 88, 104]) writeTime(view, at, node.modifiedMs);
}

/** A directory is in its parent, in itself, and in each directory that it has. */
function linksOf(file: Extract<OpenFile, { readonly kind: 'node' }>): number {
  if (file.node.kind !== 'directory') return 1;
  const folders = [...file.node.entries.values()].filter(({ kind }) => kind === 'directory');
  return 2 + folders.length;
}

/** struct timespec. */
export function writeTime(view: DataView, at: number, milliseconds: number): void {
  const seconds = Math.floor(milliseconds / 1000);
  view.setBigInt64(at, BigInt(seconds), true);
  view.setBigInt64(at + 8, BigInt(Math.floor((milliseconds - seconds * 1000) * 1e6)), true);
}
