import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { openAptRoot } from '../../../tools/debian/apt-root.ts';
import { cacheFolder } from '../../../tools/debian/cache-folder.ts';
import type { DebianPackage } from '../../../tools/debian/debian-package.ts';
import { unpackDebs } from '../../../tools/debian/unpack-debs.ts';
import type { ArchiveEntry } from './cpio-archive.ts';

/** Debian's kernel, an emulator for it and the files of its user space; nothing is installed. */
export interface DebianMachine {
  readonly emulator: string;
  readonly libraries: string;
  readonly data: string;
  readonly kernel: string;
  /** Modules with all that they need, in the order in which they load. */
  modules(
    names: readonly string[],
  ): Promise<readonly { readonly name: string; readonly path: string }[]>;
  /** Programs and libraries for the root of the machine. */
  userland(): Promise<readonly ArchiveEntry[]>;
}

const host = ['qemu-system-x86', 'linux-image-cloud-amd64'];
const guest = [
  'busybox-static',
  'dash',
  'iproute2',
  'nftables',
  'libnftables1',
  'libnftnl11',
  'libmnl0',
  'libjansson4',
  'libelf1',
  'libbpf1',
  'libbsd0',
  'libcap2',
  'libxtables12',
  'libgmp10',
  'libtinfo6',
  'libedit2',
  'libmd0',
  'libc6',
  'zlib1g',
  'python3.11-minimal',
  'libpython3.11-minimal',
  'libpython3.11-stdlib',
  'libexpat1',
  'libffi8',
];

/** Fetches what is missing; later calls find it in the cache. */
export async function debianMachine(): Promise<DebianMachine> {
  const apt = await openAptRoot({ suite: 'bookworm', architecture: 'amd64' });
  const cache = cacheFolder('debian-machine');
  const hostRoot = await unpacked(join(cache, named('host', host)), async () => {
    const found = new Map<string, DebianPackage | undefined>();
    let names = host;
    while (names.length > 0) {
      const shown = await apt.show(names);
      for (const name of names) found.set(name, undefined);
      for (const item of shown) found.set(item.name, item);
      const needed = shown.flatMap(({ depends }) => depends.map(([first = '']) => first));
      names = [...new Set(needed)].filter((name) => !found.has(name));
    }
    return await apt.download([...found.values()].filter((item) => item !== undefined));
  });
  const guestRoot = await unpacked(join(cache, named('guest', guest)), async () =>
    apt.download(await apt.show(guest)),
  );
  const [release = ''] = await readdir(join(hostRoot, 'lib/modules'));
  const moduleFolder = join(hostRoot, 'lib/modules', release, 'kernel');
  return {
    emulator: join(hostRoot, 'usr/bin/qemu-system-x86_64'),
    libraries: [
      join(hostRoot, 'usr/lib/x86_64-linux-gnu'),
      join(hostRoot, 'lib/x86_64-linux-gnu'),
    ].join(':'),
    data: join(hostRoot, 'usr/share'),
    kernel: join(hostRoot, 'boot', `vmlinuz-${release}`),
    modules: (names) => loadOrder(moduleFolder, names),
    userland: () => userland(guestRoot),
  };
}

/** Another list of packages has another folder. */
function named(label: string, packages: readonly string[]): string {
  const digest = createHash('sha256').update(packages.join(' ')).digest('hex');
  return `${label}-${digest.slice(0, 12)}`;
}

/** A folder with the packages' files, made in one step so that no half of one is found later. */
async function unpacked(
  folder: string,
  download: () => Promise<readonly string[]>,
): Promise<string> {
  if (existsSync(folder)) return folder;
  const partial = `${folder}.${process.pid}`;
  await mkdir(partial, { recursive: true });
  try {
    await unpackDebs(await download(), partial);
    await rename(partial, folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  return folder;
}

async function loadOrder(folder: string, names: readonly string[]) {
  const files = await readdir(folder, { recursive: true });
  const paths = new Map(
    files
      .filter((file) => file.endsWith('.ko'))
      .map((file) => [basename(file, '.ko').replaceAll('-', '_'), join(folder, file)]),
  );
  const order: { name: string; path: string }[] = [];
  const visit = async (name: string): Promise<void> => {
    const path = paths.get(name);
    // What is built into the kernel has no file.
    if (path === undefined || order.some((item) => item.name === name)) return;
    const text = await readFile(path, 'latin1');
    const depends = /\0depends=([^\0]*)\0/.exec(text)?.[1] ?? '';
    const before = /\0softdep=pre: ([^\0]*)\0/.exec(text)?.[1] ?? '';
    for (const needed of [...depends.split(','), ...before.split(' ')]) {
      if (needed !== '') await visit(needed.replaceAll('-', '_'));
    }
    if (!order.some((item) => item.name === name)) order.push({ name, path });
  };
  for (const name of names) await visit(name);
  return order;
}

const programs = [
  'bin/busybox',
  'bin/dash',
  'sbin/ip',
  'sbin/bridge',
  'sbin/tc',
  'usr/sbin/nft',
  'usr/bin/python3.11',
];
const pythonModules =
  /^(encodings\/(__init__|aliases|utf_8|latin_1|ascii|idna)|ctypes\/\w+|collections\/\w+|[a-z_]+|json\/\w+|importlib\/[\w/]+|re\/\w+|subprocess|lib-dynload\/(_ctypes|_json|_struct|select|_posixsubprocess|fcntl|_contextvars)\b.*)(\.py|\.so)$/;

async function userland(root: string): Promise<readonly ArchiveEntry[]> {
  const entries: ArchiveEntry[] = [];
  for (const program of programs) {
    const content = await readFile(join(root, program));
    const name = basename(program);
    entries.push({
      path: `bin/${name === 'dash' ? 'sh' : name}`,
      kind: 'file',
      content,
      executable: true,
    });
  }
  for (const folder of ['lib/x86_64-linux-gnu', 'usr/lib/x86_64-linux-gnu']) {
    for (const file of await readdir(join(root, folder), { withFileTypes: true })) {
      if (!/\.so(\.|$)/.test(file.name) || file.isDirectory()) continue;
      // Links are followed: one file for each name that a program asks for.
      const isWanted = !file.name.startsWith('libcrypto') && /\.so\.\d+$|^ld-/.test(file.name);
      if (!isWanted) continue;
      const content = await readFile(join(root, folder, file.name)).catch(() => undefined);
      if (content !== undefined) {
        entries.push({ path: `lib/${file.name}`, kind: 'file', content, executable: true });
      }
    }
  }
  const python = join(root, 'usr/lib/python3.11');
  for (const file of await readdir(python, { recursive: true })) {
    if (!pythonModules.test(file)) continue;
    entries.push({
      path: `usr/lib/python3.11/${file}`,
      kind: 'file',
      content: await readFile(join(python, file)),
    });
  }
  return entries;
}
