import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { temporaryFolder } from '@tapline/testing';
import { type ArchiveEntry, cpioArchive } from './cpio-archive.ts';
import type { DebianMachine } from './debian-machine.ts';

export interface MachineRun {
  /** Lines that the script printed, without the kernel's. */
  readonly lines: readonly string[];
  readonly milliseconds: number;
}

export interface MachineOptions {
  readonly modules: readonly string[];
  /** Files for the root of the machine beside programs and libraries. */
  readonly files: readonly ArchiveEntry[];
  /** Shell, run as the first process; its lines that begin with `> ` are answered. */
  readonly script: string;
  readonly withinMs: number;
  /** More arguments of the emulator. */
  readonly arguments?: readonly string[];
}

/** Starts Debian's kernel under software emulation, runs the script in it and ends it. */
export async function runMachine(
  machine: DebianMachine,
  options: MachineOptions,
): Promise<MachineRun> {
  await using folder = await temporaryFolder();
  const modules = await machine.modules(options.modules);
  const entries: ArchiveEntry[] = [
    ...(await machine.userland()),
    ...(await Promise.all(
      modules.map(async ({ name, path }): Promise<ArchiveEntry> => ({
        path: `modules/${name}.ko`,
        kind: 'file',
        content: await readFile(path),
      })),
    )),
    ...options.files,
    {
      path: 'init',
      kind: 'file',
      executable: true,
      content: Buffer.from(
        initScript(
          modules.map(({ name }) => name),
          options.script,
        ),
      ),
    },
  ];
  const initramfs = join(folder.path, 'initramfs');
  await writeFile(initramfs, cpioArchive(withFolders(entries)));
  const startedAt = performance.now();
  const child = spawn(
    machine.emulator,
    [
      ...'-accel tcg,tb-size=256 -cpu max -smp 1 -m 640 -nodefaults -no-user-config'.split(' '),
      ...'-nographic -serial stdio -monitor none -no-reboot -nic none'.split(' '),
      '-L',
      join(machine.data, 'qemu'),
      '-L',
      join(machine.data, 'seabios'),
      '-kernel',
      machine.kernel,
      '-initrd',
      initramfs,
      '-append',
      // Without `norandmaps` the emulator translates each program anew whenever it is started: what it
      // has translated is known by its address. Programs start three times as fast with it.
      'norandmaps cryptomgr.notests console=ttyS0 quiet loglevel=3 panic=-1 no_timer_check mitigations=off random.trust_cpu=on',
      ...(options.arguments ?? []),
    ],
    {
      env: { ...process.env, LD_LIBRARY_PATH: machine.libraries },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const timer = setTimeout(() => child.kill('SIGKILL'), options.withinMs);
  const lines: string[] = [];
  let rest = '';
  child.stderr.on('data', (chunk) => (rest += String(chunk)));
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith('> ')) lines.push(line.slice(2).trimEnd());
    else rest = `${rest}${line}\n`.slice(-20_000);
  }
  clearTimeout(timer);
  if (lines.pop() !== 'done') {
    throw new Error(
      `the machine did not come to its end; it said: ${lines.slice(-5).join('\n')}\n${rest.slice(-3000)}`,
    );
  }
  return { lines, milliseconds: performance.now() - startedAt };
}

function initScript(modules: readonly string[], script: string): string {
  return `#!/bin/sh
/bin/busybox mkdir -p /proc /sys /dev /run/netns /tmp /var/run
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox --install -s /bin
export PATH=/bin HOME=/ PYTHONDONTWRITEBYTECODE=1
ln -sf /run/netns /var/run/netns
for m in ${modules.join(' ')}; do insmod /modules/$m.ko || echo "cannot load $m"; done
ip link set lo up
echo
(
${script}
) && echo "> done"
poweroff -f
`;
}

function withFolders(entries: readonly ArchiveEntry[]): readonly ArchiveEntry[] {
  const folders = new Set(['bin', 'lib', 'lib64', 'modules']);
  for (const { path } of entries) {
    for (let at = dirname(path); at !== '.'; at = dirname(at)) folders.add(at);
  }
  return [
    ...[...folders].toSorted().map((path): ArchiveEntry => ({ path, kind: 'folder' })),
    {
      path: 'lib64/ld-linux-x86-64.so.2',
      kind: 'link',
      content: Buffer.from('/lib/ld-linux-x86-64.so.2'),
    },
    ...entries,
  ];
}
