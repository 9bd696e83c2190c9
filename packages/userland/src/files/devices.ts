import { errno, LinuxError } from '../errno.ts';
import type { Rng } from '@tapline/base';
import { WaitQueue } from '../kernel/wait-queue.ts';
import { createDirectory, createLink, createSpecial } from './create-inode.ts';
import { deviceNumber } from './device-number.ts';
import type { DirectoryInode, FileSystem, SpecialInode } from './inode.ts';
import { type OpenFile, pollEvents } from './open-file.ts';
import type { Terminals } from '../terminal/terminals.ts';

interface Device {
  readonly minor: number;
  readonly read: (most: number) => Uint8Array;
  readonly write?: (bytes: Uint8Array) => number;
}

/** What reading all of it at once gives; more has to be asked for again. */
const mostAtOnce = 1024 * 1024;

/** /dev: what programs look for there. */
export function createDevices(
  system: FileSystem,
  init: { readonly rng: Rng; readonly terminals: Terminals; readonly shared: FileSystem },
): DirectoryInode {
  const owner = { uid: 0, gid: 0 };
  const folder = createDirectory(
    system,
    { ...owner, mode: 0o755 },
    { name: 'dev', parent: undefined },
  );
  const random = (most: number): Uint8Array =>
    Uint8Array.from({ length: Math.min(most, 65_536) }, () => Math.floor(init.rng() * 256));
  const devices: Readonly<Record<string, Device>> = {
    null: { minor: 3, read: () => new Uint8Array(0) },
    zero: { minor: 5, read: (most) => new Uint8Array(Math.min(most, mostAtOnce)) },
    full: {
      minor: 7,
      read: (most) => new Uint8Array(Math.min(most, mostAtOnce)),
      write: () => {
        throw new LinuxError(errno.noSpace);
      },
    },
    random: { minor: 8, read: random },
    urandom: { minor: 9, read: random },
  };
  for (const [name, device] of Object.entries(devices)) {
    const inode: SpecialInode = createSpecial(
      system,
      { ...owner, mode: 0o666 },
      {
        kind: 'character',
        special: deviceNumber(1, device.minor),
        open: ({ flags }) => openDevice(inode, { device, flags, path: `/dev/${name}` }),
      },
    );
    folder.entries.set?.(name, inode);
  }
  for (const [name, target] of [
    ['fd', '/proc/self/fd'],
    ['stdin', '/proc/self/fd/0'],
    ['stdout', '/proc/self/fd/1'],
    ['stderr', '/proc/self/fd/2'],
  ] as const) {
    folder.entries.set?.(name, createLink(system, owner, target));
  }
  const shared = createDirectory(
    init.shared,
    { ...owner, mode: 0o1777 },
    { name: 'shm', parent: folder },
  );
  folder.entries.set?.('shm', shared);
  folder.links++;
  init.terminals.addTo(folder, system);
  return folder;
}

function openDevice(
  inode: SpecialInode,
  how: { readonly device: Device; readonly flags: number; readonly path: string },
): OpenFile {
  const { device, flags, path } = how;
  return {
    kind: 'device',
    inode,
    flags,
    path,
    changed: new WaitQueue(),
    references: 0,
    position: 0,
    read: (_, most) => device.read(most),
    write: (_, bytes) => device.write?.(bytes) ?? bytes.length,
    poll: () => pollEvents.in | pollEvents.out,
  };
}
