import { errno, LinuxError } from '../errno.ts';
import { ByteQueue } from '../files/byte-queue.ts';
import type { Session } from '../kernel/guest-process.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { signal, signalBit, signalCode } from '../kernel/signals.ts';
import type { Task } from '../kernel/task.ts';
import { Wait, WaitQueue } from '../kernel/wait-queue.ts';
import { LineDiscipline } from './line-discipline.ts';
import { controls, localFlags } from './terminal-settings.ts';

export interface WindowSize {
  readonly rows: number;
  readonly columns: number;
}

/** What is to be shown waits there when nobody takes it; programs that write more wait, too. */
const screenBytes = 65_536;

/** A terminal: who types and looks is at one end, programs are at the other. */
export class Terminal {
  readonly line: LineDiscipline;
  /** Of TIOCGPTN; -1 for the console. */
  readonly number: number;
  /** The programs' end. */
  readonly changed: WaitQueue = new WaitQueue();
  /** The other end. */
  readonly screenChanged: WaitQueue = new WaitQueue();
  /** What has not been shown yet. */
  readonly screen: ByteQueue = new ByteQueue();
  session: Session | undefined;
  /** The process group that may read. */
  foreground = 0;
  size: WindowSize = { rows: 0, columns: 0 };
  /** Nobody is at the other end any more. */
  hungUp = false;
  /** Programs that have it open. */
  users = 0;
  everUsed = false;
  locked = true;
  readonly #kernel: () => Kernel;

  constructor(number: number, kernel: () => Kernel) {
    this.number = number;
    this.#kernel = kernel;
    this.line = new LineDiscipline({
      show: (bytes) => {
        this.screen.push(bytes);
        this.screenChanged.wake();
      },
      signal: (which) => {
        this.#signal(which);
      },
    });
  }

  /** What was typed. */
  type(bytes: Uint8Array): void {
    this.line.receive(bytes);
    this.changed.wake();
  }

  takeScreen(most: number): Uint8Array {
    const bytes = this.screen.take(most);
    if (bytes.length > 0) this.changed.wake();
    return bytes;
  }

  resize(size: WindowSize): void {
    if (size.rows === this.size.rows && size.columns === this.size.columns) return;
    this.size = size;
    this.#tell(signal.windowChange);
  }

  /** Who looked has gone. */
  hangUp(): void {
    if (this.hungUp) return;
    this.hungUp = true;
    const { session } = this;
    if (session !== undefined) {
      const leader = this.#kernel().processes.get(session.id);
      if (leader !== undefined) {
        this.#kernel().sendToGroup(leader.group, {
          signal: signal.hangUp,
          code: signalCode.kernel,
        });
        this.#kernel().sendToGroup(leader.group, {
          signal: signal.continue,
          code: signalCode.kernel,
        });
      }
    }
    this.#tell(signal.hangUp);
    this.changed.wake();
  }

  read(task: Task, most: number): Uint8Array | Wait {
    if (this.#isBehind(task, signal.terminalInput)) return new Wait([this.changed]);
    if (most === 0) return new Uint8Array(0);
    const { line } = this;
    if (!line.canonical) return this.#readRaw(task, most);
    const bytes = line.read(most);
    if (bytes !== undefined) return bytes;
    return this.hungUp ? new Uint8Array(0) : new Wait([this.changed]);
  }

  /** VMIN and VTIME of termios(3). */
  #readRaw(task: Task, most: number): Uint8Array | Wait {
    const { line } = this;
    const { characters } = line.settings;
    const least = Math.min(characters[controls.least] ?? 0, most);
    const timeMs = (characters[controls.time] ?? 0) * 100;
    const available = line.available;
    const now = task.process.kernel.clock.monotonic();
    if (available >= least && available > 0) return line.read(most) ?? new Uint8Array(0);
    if (this.hungUp) return new Uint8Array(0);
    if (least === 0 && timeMs === 0) return new Uint8Array(0);
    if (timeMs === 0 || (least > 0 && available === 0)) return new Wait([this.changed]);
    const { call } = task;
    if (call === undefined) return new Wait([this.changed]);
    const seen = call.memo as { available: number; deadline: number } | undefined;
    // With VMIN the time starts anew with each byte.
    if (seen === undefined || (least > 0 && seen.available !== available)) {
      call.memo = { available, deadline: now + timeMs };
      return new Wait([this.changed], now + timeMs);
    }
    if (now < seen.deadline) return new Wait([this.changed], seen.deadline);
    return line.read(most) ?? new Uint8Array(0);
  }

  write(task: Task, bytes: Uint8Array): number | Wait {
    if (this.hungUp) throw new LinuxError(errno.inputOutput);
    const stops = (this.line.settings.local & localFlags.stopOutput) !== 0;
    if (stops && this.#isBehind(task, signal.terminalOutput)) return new Wait([this.changed]);
    if (this.line.stopped || this.screen.size >= screenBytes) return new Wait([this.changed]);
    const part = bytes.subarray(0, screenBytes);
    this.screen.push(this.line.output(part));
    this.screenChanged.wake();
    return part.length;
  }

  /** Whether who asks is not in the foreground; it is told by a signal then. */
  #isBehind(task: Task, number: number): boolean {
    const { process } = task;
    if (process.session !== this.session || process.group === this.foreground) return false;
    const blocked = (task.mask & signalBit(number)) !== 0n;
    if (blocked || process.ignores(number)) {
      if (number === signal.terminalOutput) return false;
      throw new LinuxError(errno.inputOutput);
    }
    process.kernel.sendToGroup(process.group, { signal: number, code: signalCode.kernel });
    return true;
  }

  /** Settings are changed from the background as is written. */
  mayChange(task: Task): boolean {
    return !this.#isBehind(task, signal.terminalOutput);
  }

  #signal(which: 'interrupt' | 'quit' | 'suspend'): void {
    const numbers = {
      interrupt: signal.interrupt,
      quit: signal.quit,
      suspend: signal.terminalStop,
    } as const;
    this.#tell(numbers[which]);
  }

  #tell(number: number): void {
    if (this.foreground !== 0) {
      this.#kernel().sendToGroup(this.foreground, { signal: number, code: signalCode.kernel });
    }
  }
}
