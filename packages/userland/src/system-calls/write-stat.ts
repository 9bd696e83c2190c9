import type { Inode } from '../files/inode.ts';
import { viewOf } from '../memory/guest-memory.ts';

const format = {
  fifo: 0o010000,
  character: 0o020000,
  directory: 0o040000,
  file: 0o100000,
  link: 0o120000,
  socket: 0o140000,
} as const;
const blockSize = 4096;
/** STATX_BASIC_STATS */
const basicStats = 0x7ff;

interface Sizes {
  readonly size: number;
  readonly blocks: number;
  readonly special: number;
}

function sizesOf(inode: Inode): Sizes {
  switch (inode.kind) {
    case 'file': {
      const { size } = inode.content;
      return { size, blocks: Math.ceil(size / blockSize) * (blockSize / 512), special: 0 };
    }
    case 'directory':
      return { size: blockSize, blocks: blockSize / 512, special: 0 };
    case 'link':
      return {
        size: inode.jump === undefined ? inode.target({ pid: 0, tid: 0 }).length : 64,
        blocks: 0,
        special: 0,
      };
    default:
      return { size: 0, blocks: 0, special: inode.special };
  }
}

/** struct stat of arm64 (include/uapi/asm-generic/stat.h), 128 bytes. */
export function writeStat(room: Uint8Array, inode: Inode): void {
  room.fill(0);
  const view = viewOf(room);
  const { size, blocks, special } = sizesOf(inode);
  view.setBigUint64(0, BigInt(inode.system.device), true);
  view.setBigUint64(8, BigInt(inode.number), true);
  view.setUint32(16, format[inode.kind] | inode.mode, true);
  view.setUint32(20, inode.links, true);
  view.setUint32(24, inode.uid, true);
  view.setUint32(28, inode.gid, true);
  view.setBigUint64(32, BigInt(special), true);
  view.setBigInt64(48, BigInt(size), true);
  view.setInt32(56, blockSize, true);
  view.setBigInt64(64, BigInt(blocks), true);
  writeTime(view, 72, inode.accessedMs);
  writeTime(view, 88, inode.modifiedMs);
  writeTime(view, 104, inode.changedMs);
}

/** struct statx (include/uapi/linux/stat.h), 256 bytes. */
export function writeStatx(room: Uint8Array, inode: Inode): void {
  room.fill(0);
  const view = viewOf(room);
  const { size, blocks, special } = sizesOf(inode);
  view.setUint32(0, basicStats, true);
  view.setUint32(4, blockSize, true);
  view.setUint32(16, inode.links, true);
  view.setUint32(20, inode.uid, true);
  view.setUint32(24, inode.gid, true);
  view.setUint16(28, format[inode.kind] | inode.mode, true);
  view.setBigUint64(32, BigInt(inode.number), true);
  view.setBigUint64(40, BigInt(size), true);
  view.setBigUint64(48, BigInt(blocks), true);
  for (const [at, time] of [
    [64, inode.accessedMs],
    [96, inode.changedMs],
    [112, inode.modifiedMs],
  ] as const) {
    const seconds = Math.floor(time / 1000);
    view.setBigInt64(at, BigInt(seconds), true);
    view.setUint32(at + 8, Math.floor((time - seconds * 1000) * 1e6), true);
  }
  view.setUint32(128, special >> 8, true);
  view.setUint32(132, special & 0xff, true);
  view.setUint32(136, inode.system.device >> 8, true);
  view.setUint32(140, inode.system.device & 0xff, true);
}

/** struct timespec. */
export function writeTime(view: DataView, at: number, milliseconds: number): void {
  const seconds = Math.floor(milliseconds / 1000);
  view.setBigInt64(at, BigInt(seconds), true);
  view.setBigInt64(at + 8, BigInt(Math.floor((milliseconds - seconds * 1000) * 1e6)), true);
}
