import { errno, LinuxError } from '../errno.ts';
import { viewOf } from '../guest-memory.ts';
import type { OpenFile } from '../open-file.ts';

/** DT_DIR, DT_REG, DT_LNK. */
const types = { directory: 4, file: 8, link: 10 } as const;
const headerSize = 19;

/** As many of struct linux_dirent64 as fit, from the file's position on; says how many bytes. */
export function writeDirectoryEntries(
  room: Uint8Array,
  file: Extract<OpenFile, { readonly kind: 'node' }>,
): number {
  if (file.node.kind !== 'directory') return 0;
  const { inode } = file.node;
  const all = [
    { name: '.', inode, type: types.directory },
    { name: '..', inode, type: types.directory },
    ...[...file.node.entries].map(([name, node]) => ({
      name,
      inode: node.inode,
      type: types[node.kind],
    })),
  ];
  const view = viewOf(room);
  let at = 0;
  for (const entry of all.slice(file.position)) {
    const name = new TextEncoder().encode(`${entry.name}\0`);
    const length = Math.ceil((headerSize + name.length) / 8) * 8;
    if (at + length > room.length) {
      if (at === 0) throw new LinuxError(errno.invalid);
      break;
    }
    room.fill(0, at, at + length);
    view.setBigUint64(at, BigInt(entry.inode), true);
    view.setBigUint64(at + 8, BigInt(file.position + 1), true);
    view.setUint16(at + 16, length, true);
    room[at + 18] = entry.type;
    room.set(name, at + headerSize);
    file.position++;
    at += length;
  }
  return at;
}
