import { errno, LinuxError } from '../errno.ts';
import type { Task } from '../kernel/task.ts';
import { Wait } from '../kernel/wait-queue.ts';
import { guestBytes, guestRoom, viewOf } from '../memory/guest-memory.ts';
import type { Terminal } from './terminal.ts';
import { readSettings, settingsSize, writeSettings } from './terminal-settings.ts';

// include/uapi/asm-generic/ioctls.h
const request = {
  getSettings: 0x5401,
  setSettings: 0x5402,
  setAfterOutput: 0x5403,
  setAndFlush: 0x5404,
  sendBreak: 0x5409,
  flow: 0x540a,
  flush: 0x540b,
  exclusive: 0x540c,
  becomeControlling: 0x540e,
  getForeground: 0x540f,
  setForeground: 0x5410,
  countOutput: 0x5411,
  getSize: 0x5413,
  setSize: 0x5414,
  countInput: 0x541b,
  detach: 0x5422,
  getSession: 0x5429,
  getNumber: 0x80045430,
  setLock: 0x40045431,
  getLock: 0x80045439,
} as const;

/** ioctl of a terminal, from either end. */
export function controlTerminal(
  terminal: Terminal,
  task: Task,
  asked: { readonly request: number; readonly argument: bigint },
): number | Wait {
  const { argument } = asked;
  const { process, memory } = task;
  const word = (): DataView => viewOf(guestBytes(memory, argument, 4));
  const answer = (value: number): number => {
    viewOf(guestRoom(memory, argument, 4)).setInt32(0, value, true);
    return 0;
  };
  const own = process.session.terminal === terminal;
  switch (asked.request) {
    case request.getSettings:
      writeSettings(guestRoom(memory, argument, settingsSize), terminal.line.settings);
      return 0;
    case request.setSettings:
    case request.setAfterOutput:
    case request.setAndFlush: {
      if (!terminal.mayChange(task)) return new Wait([terminal.changed]);
      const settings = readSettings(guestBytes(memory, argument, settingsSize));
      if (asked.request === request.setAndFlush) terminal.line.flushInput();
      terminal.line.change(settings);
      terminal.changed.wake();
      return 0;
    }
    case request.getSize: {
      const view = viewOf(guestRoom(memory, argument, 8));
      view.setUint16(0, terminal.size.rows, true);
      view.setUint16(2, terminal.size.columns, true);
      view.setUint32(4, 0, true);
      return 0;
    }
    case request.setSize: {
      const view = viewOf(guestBytes(memory, argument, 4));
      terminal.resize({ rows: view.getUint16(0, true), columns: view.getUint16(2, true) });
      return 0;
    }
    case request.getForeground:
      if (!own && terminal.number < 0) throw new LinuxError(errno.notTerminal);
      return answer(terminal.foreground);
    case request.setForeground: {
      if (!own) throw new LinuxError(errno.notTerminal);
      if (!terminal.mayChange(task)) return new Wait([terminal.changed]);
      const group = word().getInt32(0, true);
      const members = [...process.kernel.processes.values()];
      const member = members.find((one) => one.group === group);
      if (member === undefined) throw new LinuxError(errno.noProcess);
      if (member.session !== process.session) throw new LinuxError(errno.notPermitted);
      terminal.foreground = group;
      return 0;
    }
    case request.becomeControlling:
      takeTerminal(terminal, task);
      return 0;
    case request.detach:
      if (!own) throw new LinuxError(errno.notTerminal);
      process.session.terminal = undefined;
      terminal.session = undefined;
      return 0;
    case request.getSession:
      if (!own) throw new LinuxError(errno.notTerminal);
      return answer(process.session.id);
    case request.countInput:
      return answer(terminal.line.available);
    case request.countOutput:
      return answer(terminal.screen.size);
    case request.flush:
      if (argument !== 1n) terminal.line.flushInput();
      return 0;
    case request.flow:
      terminal.line.stopped = argument === 0n;
      terminal.changed.wake();
      return 0;
    case request.sendBreak:
    case request.exclusive:
      return 0;
    case request.getNumber:
      if (terminal.number < 0) throw new LinuxError(errno.notTerminal);
      return answer(terminal.number);
    case request.setLock:
      terminal.locked = word().getInt32(0, true) !== 0;
      return 0;
    case request.getLock:
      return answer(terminal.locked ? 1 : 0);
    default:
      throw new LinuxError(errno.notTerminal);
  }
}

/** A session without a terminal gets this one. */
export function takeTerminal(terminal: Terminal, task: Task): void {
  const { process } = task;
  const { session } = process;
  if (session.terminal === terminal) return;
  if (session.id !== process.pid || session.terminal !== undefined) {
    throw new LinuxError(errno.notPermitted);
  }
  if (terminal.session !== undefined) throw new LinuxError(errno.notPermitted);
  session.terminal = terminal;
  terminal.session = session;
  terminal.foreground = process.group;
}
