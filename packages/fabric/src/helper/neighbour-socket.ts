import { getRawPointer } from 'node:ffi';
import { getSystemErrorName } from 'node:util';
import { isTaplineError } from '@tapline/base';
import type { ExecutionResult } from '../fabric-helper.ts';
import { type Libc, linux, openLibc, systemCallError } from '../userspace/libc.ts';
import { netlinkAnswers } from './netlink-answers.ts';
import { type NeighbourOperation, neighbourMessages } from './neighbour-messages.ts';

const netlink = 16;
const route = 0;
/** SIOCGIFINDEX of linux/sockios.h, and the length of its struct ifreq. */
const askIndex = 0x8933n;
const requestBytes = 40;
/** A message has 84 bytes at most, and a socket takes 200 kB at once. */
const messagesOfWrite = 500;

/**
 * Adds entries to forwarding databases and neighbour tables without a process. Hundreds go in one
 * call, of which the kernel answers the last; `bridge` and `ip` ask for each device by its name, send
 * one entry and wait for its answer, and that is most of their time.
 */
export class NeighbourSocket implements Disposable {
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #names: number;

  private constructor(libc: Libc) {
    this.#libc = libc;
    const type = linux.raw | linux.nonBlocking | linux.closeOnExec;
    this.#fd = libc.socket(netlink, type, route);
    if (this.#fd < 0) throw systemCallError(libc, 'socket');
    this.#names = libc.socket(linux.inet, linux.datagram | linux.closeOnExec, 0);
    if (this.#names < 0) {
      libc.close(this.#fd);
      throw systemCallError(libc, 'socket');
    }
  }

  /** Undefined where this Node cannot call the C library, or may not. */
  static open(): NeighbourSocket | undefined {
    try {
      return new NeighbourSocket(openLibc());
    } catch (error) {
      if (isTaplineError(error)) return undefined;
      throw error;
    }
  }

  /**
   * In their order; `failed` is the index of one that was refused, and some behind it may be there.
   * Between writes others have their turn.
   */
  async add(operations: readonly NeighbourOperation[]): Promise<ExecutionResult> {
    const indexes = new Map<string, number>();
    for (let from = 0; from < operations.length; from += messagesOfWrite) {
      const part = operations.slice(from, from + messagesOfWrite);
      for (const [at, operation] of part.entries()) {
        for (const dev of devicesOf(operation)) {
          const index = indexes.get(dev) ?? this.#indexOf(dev);
          if (index === 0) return refused(from + at, `there is no device ${dev}`);
          indexes.set(dev, index);
        }
      }
      const result = this.#write(
        neighbourMessages(part, (dev) => indexes.get(dev) ?? 0),
        part.length,
      );
      if (!result.done) return { ...result, failed: from + result.failed };
      await new Promise((resolve) => setImmediate(resolve));
    }
    return { done: true };
  }

  #write(bytes: Uint8Array, count: number): ExecutionResult {
    const written = this.#libc.write(this.#fd, getRawPointer(bytes), bytes.length);
    if (written !== bytes.length) {
      return refused(0, `errno ${this.#libc.errno()} where entries were written`);
    }
    // The kernel has done it before it comes back from that call, and its answers are there.
    let done = false;
    let failure: ExecutionResult | undefined;
    for (const { sequence, error } of netlinkAnswers(this.#libc, this.#fd)) {
      if (error === 0) done ||= sequence === count - 1;
      else failure ??= refused(Math.min(sequence, count - 1), getSystemErrorName(error));
    }
    return failure ?? (done ? { done: true } : refused(0, 'no answer'));
  }

  /** 0 where there is none. */
  #indexOf(device: string): number {
    const asked = Buffer.alloc(requestBytes);
    asked.write(device.slice(0, 15), 'latin1');
    return this.#libc.ioctl(this.#names, askIndex, asked) === 0 ? asked.readInt32LE(16) : 0;
  }

  [Symbol.dispose](): void {
    this.#libc.close(this.#fd);
    this.#libc.close(this.#names);
  }
}

/** Its own, and the one that packets are to go by. */
function devicesOf(operation: NeighbourOperation): readonly string[] {
  if (operation.kind === 'neighbour-add') return [operation.neighbour.dev];
  const { dev, via } = operation.entry;
  return via === undefined ? [dev] : [dev, via];
}

function refused(failed: number, message: string) {
  return { done: false as const, failed, message: `rtnetlink: ${message}` };
}
