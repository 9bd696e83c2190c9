import { getRawPointer } from 'node:ffi';
import { getSystemErrorName } from 'node:util';
import { isTaplineError } from '@tapline/base';
import type { ExecutionResult } from '../fabric-helper.ts';
import { type Libc, linux, openLibc, systemCallError } from '../userspace/libc.ts';
import { type FilterOperation, writeFilter } from './filter-messages.ts';
import { type EndOperation, type LinkOperation, writeEnd, writeLink } from './link-messages.ts';
import { MessageWriter } from './message-writer.ts';
import { netlinkAnswers } from './netlink-answers.ts';
import { type NeighbourOperation, writeNeighbour } from './neighbour-messages.ts';

/** What goes to the kernel without a program. */
export type RouteOperation = NeighbourOperation | LinkOperation | EndOperation | FilterOperation;

const netlink = 16;
const route = 0;
/** SIOCGIFINDEX of linux/sockios.h, and the length of its struct ifreq. */
const askIndex = 0x8933n;
const requestBytes = 40;
/** A socket takes 200 kB at once. */
const bytesOfWrite = 100_000;
/** Of devices: others have their turn between writes, and each takes the kernel a third of a millisecond. */
const devicesOfWrite = 50;
const messagesOfWrite = 500;

/**
 * Changes links, filters of ports, forwarding databases and neighbour tables without a process.
 * Many messages go in one call, of which the kernel answers the last; `ip`, `bridge` and `tc` ask for
 * each device by its name, which the kernel answers with all that it knows of it, send one message
 * and wait for its answer, and that is most of their time.
 */
export class RouteSocket implements Disposable {
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #names: number;
  readonly #writer = new MessageWriter();

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
  static open(): RouteSocket | undefined {
    try {
      return new RouteSocket(openLibc());
    } catch (error) {
      if (isTaplineError(error)) return undefined;
      throw error;
    }
  }

  /**
   * In their order; `failed` is the index of one that was refused, and some behind it may be there.
   * Devices that are added are in the group, where one is given. Between writes others have their turn.
   */
  async change(
    operations: readonly RouteOperation[],
    options: { readonly group?: number | undefined } = {},
  ): Promise<ExecutionResult> {
    const writer = this.#writer;
    const indexes = new Map<string, number>();
    const indexOf = (dev: string): number => indexes.get(dev) ?? 0;
    /** For each message, the operation that it is of. */
    let owners: number[] = [];
    let devices = 0;
    const write = async (): Promise<ExecutionResult> => {
      const result = this.#write(writer.take(), owners.length);
      const failed = result.done ? result : { ...result, failed: owners[result.failed] ?? 0 };
      owners = [];
      devices = 0;
      await new Promise((resolve) => setImmediate(resolve));
      return failed;
    };
    for (const [number, operation] of operations.entries()) {
      for (const dev of devicesOf(operation)) {
        let index = indexes.get(dev) ?? this.#indexOf(dev);
        if (index === 0 && owners.length > 0) {
          // It may be one of those that are about to be made.
          const result = await write();
          if (!result.done) return result;
          index = this.#indexOf(dev);
        }
        if (index === 0) {
          writer.take();
          return refused(number, `there is no device ${dev}`);
        }
        indexes.set(dev, index);
      }
      writeOperation(writer, operation, { indexOf, group: options.group });
      while (owners.length < writer.count) owners.push(number);
      if (operation.kind === 'link-add' || operation.kind === 'egress-set') devices += 1;
      const full =
        devices >= devicesOfWrite ||
        owners.length >= messagesOfWrite ||
        writer.length >= bytesOfWrite;
      if (!full) continue;
      const result = await write();
      if (!result.done) return result;
    }
    return owners.length === 0 ? { done: true } : await write();
  }

  #write(bytes: Uint8Array, count: number): ExecutionResult {
    const written = this.#libc.write(this.#fd, getRawPointer(bytes), bytes.length);
    if (written !== bytes.length) {
      return refused(0, `errno ${this.#libc.errno()} where messages were written`);
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

function writeOperation(
  writer: MessageWriter,
  operation: RouteOperation,
  options: { readonly indexOf: (device: string) => number; readonly group: number | undefined },
): void {
  switch (operation.kind) {
    case 'link-add':
      writeLink(writer, operation, options);
      return;
    case 'end-place':
      writeEnd(writer, operation, options.indexOf);
      return;
    case 'egress-set':
      writeFilter(writer, operation, options.indexOf);
      return;
    case 'fdb-add':
    case 'neighbour-add':
      writeNeighbour(writer, operation, options.indexOf);
  }
}

/** Those that have to be there before: messages name them by their numbers. */
function devicesOf(operation: RouteOperation): readonly string[] {
  switch (operation.kind) {
    case 'link-add': {
      const { master, lower, vxlan } = operation.link;
      return [master, vxlan === undefined ? undefined : lower].flatMap((dev) => dev ?? []);
    }
    case 'end-place':
      return [operation.end.name];
    case 'egress-set':
      return [operation.filter.dev];
    case 'neighbour-add':
      return [operation.neighbour.dev];
    case 'fdb-add': {
      const { dev, via } = operation.entry;
      return via === undefined ? [dev] : [dev, via];
    }
  }
}

function refused(failed: number, message: string) {
  return { done: false as const, failed, message: `rtnetlink: ${message}` };
}
