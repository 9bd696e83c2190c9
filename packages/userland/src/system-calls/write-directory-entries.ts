import { bytesOf } from '../byte-string.ts';
import { errno, LinuxError } from '../errno.ts';
import type { Inode } from '../files/inode.ts';
import type { DirectoryFile } from '../files/regular-file.ts';
import { viewOf } from '../memory/guest-memory.ts';

/** DT_FIFO, DT_CHR, DT_DIR, DT_REG, DT_LNK, DT_SOCK. */
const types = { fifo: 1, character: 2, directory: 4, file: 8, link: 10, socket: 12 } as const;
const headerSize = 19;

/** As many of struct linux_dirent64 as fit, from the file's position on; says how many bytes. */
export function writeDirectoryEntries(room: Uint8Array, file: DirectoryFile): number {
  const { inode } = file;
  if (file.position === 0 || file.listing === undefined) {
    const names: [string, Inode][] = [
      ['.', inode],
      ['..', inode.parent ?? inode],
    ];
    for (const [name, child] of inode.entries.list()) names.push([name, child]);
    file.listing = names;
  }
  const view = viewOf(room);
  let at = 0;
  for (const [name, child] of file.listing.slice(file.position)) {
    const length = Math.ceil((headerSize + name.length + 1) / 8) * 8;
    if (at + length > room.length) {
      if (at === 0) throw new LinuxError(errno.invalid);
      break;
    }
    room.fill(0, at, at + length);
    view.setBigUint64(at, BigInt(child.number), true);
    view.setBigUint64(at + 8, BigInt(file.position + 1), true);
    view.setUint16(at + 16, length, true);
    room[at + 18] = types[child.kind];
    room.set(bytesOf(name), at + headerSize);
    file.position++;
    at += length;
  }
  return at;
}
