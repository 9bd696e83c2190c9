import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openAptRoot } from '../../../tools/debian/apt-root.ts';
import { unpackDebs } from '../../../tools/debian/unpack-debs.ts';
import { toolPackages } from '../tool-list.ts';

/** What v86 starts: its package has neither a BIOS nor a kernel. */
export interface DebianI386 {
  readonly bios: string;
  readonly videoBios: string;
  readonly kernel: string;
  /** The tools and what they need, as their packages have it, and a static busybox. */
  readonly root: string;
}

/** Fetches Debian's kernel and tools for i386, of the suite that the arm64 ones are from. */
export async function fetchDebianI386(folder: string): Promise<DebianI386> {
  const apt = await openAptRoot({ suite: 'bookworm', architecture: 'i386' });
  // A package without files, which needs the newest kernel.
  const [newest] = await apt.show(['linux-image-686']);
  const [kernelPackage = ''] = newest?.depends.flat() ?? [];
  const machine = join(folder, 'machine');
  const root = join(folder, 'root');
  for (const [into, names] of [
    [machine, [kernelPackage, 'seabios']],
    [root, [...toolPackages, 'busybox-static']],
  ] as const) {
    await mkdir(into, { recursive: true });
    await unpackDebs(await apt.download(await apt.show(names)), into);
  }
  const boot = await readdir(join(machine, 'boot'));
  const kernel = boot.find((name) => name.startsWith('vmlinuz-')) ?? 'vmlinuz';
  return {
    bios: join(machine, 'usr/share/seabios/bios.bin'),
    videoBios: join(machine, 'usr/share/seabios/vgabios-stdvga.bin'),
    kernel: join(machine, 'boot', kernel),
    root,
  };
}
