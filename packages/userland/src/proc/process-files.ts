import { guestPageSize, pagePermission } from '@tapline/a64';
import type { GuestProcess } from '../kernel/guest-process.ts';
import { signalBit, ignoreHandler, defaultHandler } from '../kernel/signals.ts';

const clockTicks = 100;

function hex(value: number, width: number): string {
  return value.toString(16).padStart(width, '0');
}

/** /proc/PID/maps */
export function mapsOf({ space }: GuestProcess): string {
  const { read, write, execute } = pagePermission;
  return space
    .regions()
    .map(({ start, end, permissions, source }) => {
      const may = [
        (permissions & read) === 0 ? '-' : 'r',
        (permissions & write) === 0 ? '-' : 'w',
        (permissions & execute) === 0 ? '-' : 'x',
        source.shared ? 's' : 'p',
      ].join('');
      const { file, offset, name } = source;
      const device = file === undefined ? '00:00' : `00:${hex(file.system.device, 2)}`;
      const where = `${hex(start, 8)}-${hex(end, 8)} ${may} ${hex(file === undefined ? 0 : offset, 8)} ${device} ${file?.number ?? 0}`;
      return name === '' ? `${where} \n` : `${where.padEnd(73)}${name}\n`;
    })
    .join('');
}

function stateOf(process: GuestProcess): string {
  if (process.exitStatus !== undefined) return 'Z';
  if (process.stoppedBy !== undefined) return 'T';
  return [...process.tasks].some(({ state }) => state === 'runnable') ? 'R' : 'S';
}

function pagesOf({ space }: GuestProcess): number {
  const used = space.regions().filter(({ permissions }) => permissions !== 0);
  return used.reduce((total, { start, end }) => total + (end - start) / guestPageSize, 0);
}

function nameOf(process: GuestProcess): string {
  const { path } = process.image;
  return process.leader?.name ?? path.slice(path.lastIndexOf('/') + 1).slice(0, 15);
}

function ticks(ms: number): number {
  return Math.floor((ms * clockTicks) / 1000);
}

/** /proc/PID/stat; what is not known is 0. */
export function statOf(process: GuestProcess): string {
  const { terminal } = process.session;
  const pages = pagesOf(process);
  const device = terminal === undefined ? 0 : terminal.number < 0 ? 1281 : 34816 + terminal.number;
  const fields = [
    process.pid,
    `(${nameOf(process)})`,
    stateOf(process),
    process.parent?.pid ?? 1,
    process.group,
    process.session.id,
    device,
    terminal?.foreground ?? -1,
    0,
    0,
    0,
    0,
    0,
    ticks(process.usedMs),
    0,
    ticks(process.childrenUsedMs),
    0,
    20,
    0,
    process.tasks.size,
    0,
    ticks(process.startedMs),
    pages * guestPageSize,
    pages,
    '18446744073709551615',
    ...Array.from({ length: 27 }, () => 0),
  ];
  return `${fields.join(' ')}\n`;
}

function mask(value: bigint): string {
  return value.toString(16).padStart(16, '0');
}

/** /proc/PID/status */
export function statusOf(process: GuestProcess): string {
  const { uid, gid, groups } = process.credentials;
  const states = { R: 'running', S: 'sleeping', T: 'stopped', Z: 'zombie' } as const;
  const state = stateOf(process) as keyof typeof states;
  const kilobytes = (pagesOf(process) * guestPageSize) / 1024;
  const masks = { ignored: 0n, caught: 0n };
  for (const [number, { handler }] of process.actions) {
    if (handler === ignoreHandler) masks.ignored |= signalBit(number);
    else if (handler !== defaultHandler) masks.caught |= signalBit(number);
  }
  return [
    `Name:\t${nameOf(process)}`,
    `Umask:\t${process.umask.toString(8).padStart(4, '0')}`,
    `State:\t${state} (${states[state]})`,
    `Tgid:\t${process.pid}`,
    `Ngid:\t0`,
    `Pid:\t${process.pid}`,
    `PPid:\t${process.parent?.pid ?? 1}`,
    `TracerPid:\t0`,
    `Uid:\t${[uid, uid, uid, uid].join('\t')}`,
    `Gid:\t${[gid, gid, gid, gid].join('\t')}`,
    `FDSize:\t64`,
    `Groups:\t${groups.map((group) => `${group} `).join('')}`,
    `VmPeak:\t${String(kilobytes).padStart(8)} kB`,
    `VmSize:\t${String(kilobytes).padStart(8)} kB`,
    `VmRSS:\t${String(kilobytes).padStart(8)} kB`,
    `Threads:\t${process.tasks.size}`,
    `SigQ:\t0/1024`,
    `SigPnd:\t${mask(0n)}`,
    `ShdPnd:\t${mask([...process.pending.keys()].reduce((all, one) => all | signalBit(one), 0n))}`,
    `SigBlk:\t${mask(process.leader?.mask ?? 0n)}`,
    `SigIgn:\t${mask(masks.ignored)}`,
    `SigCgt:\t${mask(masks.caught)}`,
    '',
  ].join('\n');
}

/** Strings that end with a zero byte each: cmdline and environ. */
export function zeroEnded(list: readonly string[]): string {
  return list.map((text) => `${text}\0`).join('');
}

/** /proc/PID/statm */
export function memoryOf(process: GuestProcess): string {
  const pages = pagesOf(process);
  return `${pages} ${pages} 0 0 0 ${pages} 0\n`;
}

/** /proc/PID/limits, of what programs look for there. */
export function limitsOf({ space, descriptors }: GuestProcess): string {
  const rows = [
    ['Limit', 'Soft Limit', 'Hard Limit', 'Units'],
    ['Max stack size', `${space.stackSize}`, 'unlimited', 'bytes'],
    ['Max open files', `${descriptors.limit}`, '1048576', 'files'],
  ] as const;
  return rows
    .map(
      ([name, soft, hard, unit]) =>
        `${name.padEnd(26)}${soft.padEnd(21)}${hard.padEnd(21)}${unit.padEnd(10)}\n`,
    )
    .join('');
}
