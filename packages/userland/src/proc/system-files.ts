import type { Inode } from '../files/inode.ts';
import type { Kernel } from '../kernel/kernel.ts';

const kilobyte = 1024;

function line(name: string, bytes: number): string {
  return `${`${name}:`.padEnd(16)}${String(Math.floor(bytes / kilobyte)).padStart(8)} kB\n`;
}

/** Files of /proc that are not of one process, by their names. */
export const systemFiles: Readonly<Record<string, (kernel: Kernel) => string>> = {
  cpuinfo: () =>
    [
      'processor\t: 0',
      'BogoMIPS\t: 125.00',
      'Features\t: fp asimd aes pmull sha1 sha2 crc32 atomics',
      'CPU implementer\t: 0x41',
      'CPU architecture: 8',
      'CPU variant\t: 0x1',
      'CPU part\t: 0xd07',
      'CPU revision\t: 0',
      '\n',
    ].join('\n'),
  filesystems: () => 'nodev\tproc\nnodev\ttmpfs\n',
  loadavg: ({ runnable, taskCount }) => `0.00 0.00 0.00 ${runnable.length + 1}/${taskCount} 1\n`,
  meminfo: ({ memory }) => {
    const free = memory.limit - memory.used;
    return [
      line('MemTotal', memory.limit),
      line('MemFree', free),
      line('MemAvailable', free),
      line('Buffers', 0),
      line('Cached', 0),
      line('SwapTotal', 0),
      line('SwapFree', 0),
    ].join('');
  },
  mounts: () =>
    mounted.map(([source, path, type]) => `${source} ${path} ${type} rw,relatime 0 0\n`).join(''),
  stat: ({ processes, clock }) =>
    [
      'cpu  0 0 0 0 0 0 0 0 0 0',
      'cpu0 0 0 0 0 0 0 0 0 0 0',
      `btime ${Math.floor((clock.now() - clock.monotonic()) / 1000)}`,
      `processes ${processes.size}`,
      'procs_running 1',
      'procs_blocked 0',
      '',
    ].join('\n'),
  uptime: ({ clock }) => `${(clock.monotonic() / 1000).toFixed(2)} 0.00\n`,
  version: () => 'Linux version 6.1.0 (tapline) #1 SMP\n',
};

/** What is mounted where, from the root on. */
const mounted = [
  ['layers', '/', 'overlay'],
  ['proc', '/proc', 'proc'],
  ['dev', '/dev', 'tmpfs'],
  ['tmpfs', '/dev/shm', 'tmpfs'],
] as const;

/** /proc/self/mountinfo (Documentation/filesystems/proc.rst). */
export function mountInformationOf({ root }: Kernel): string {
  return mounted
    .map(([source, path, type], at) => {
      let inode: Inode | undefined = root;
      for (const name of path.split('/').filter((each) => each !== '')) {
        if (inode?.kind === 'directory') inode = inode.entries.get(name);
        if (inode?.kind === 'directory') inode = inode.mounted ?? inode;
      }
      const device = inode?.system.device ?? 0;
      const parent = at === 0 ? 1 : path === '/dev/shm' ? 4 : 2;
      return `${at + 2} ${parent} 0:${device} / ${path} rw,relatime - ${type} ${source} rw\n`;
    })
    .join('');
}
