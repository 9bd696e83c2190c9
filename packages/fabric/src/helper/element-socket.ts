import { getSystemErrorName } from 'node:util';
import { isTaplineError } from '@tapline/base';
import { getRawPointer } from 'node:ffi';
import type { ExecutionResult } from '../fabric-helper.ts';
import { type Libc, linux, openLibc, systemCallError } from '../userspace/libc.ts';
import { type ElementOperation, elementBatch } from './element-batch.ts';
import { netlinkAnswers } from './netlink-answers.ts';

const netlink = 16;
const netfilter = 12;
/** More are nft's: there, a process is the least of it. */
const mostElements = 500;

/**
 * Changes elements of sets without a process. Above all, the socket stays open: when nft closes its
 * own, the kernel waits until nothing that it deleted can be looked at any more, which is a grace
 * period of RCU, 10 to 40 ms. One transaction, as with nft.
 */
export class ElementSocket implements Disposable {
  readonly #libc: Libc;
  readonly #fd: number;

  private constructor(libc: Libc) {
    this.#libc = libc;
    const type = linux.raw | linux.nonBlocking | linux.closeOnExec;
    this.#fd = libc.socket(netlink, type, netfilter);
    if (this.#fd < 0) throw systemCallError(libc, 'socket');
  }

  /** Undefined where this Node cannot call the C library, or may not. */
  static open(): ElementSocket | undefined {
    try {
      return new ElementSocket(openLibc());
    } catch (error) {
      if (isTaplineError(error)) return undefined;
      throw error;
    }
  }

  /** Undefined where it is nft's to do, or to say what is wrong; `failed` is the operation's index. */
  change(operations: readonly ElementOperation[]): ExecutionResult | undefined {
    const count = operations.reduce((sum, { elements }) => sum + elements.length, 0);
    if (count === 0 || count > mostElements) return undefined;
    let batch: ReturnType<typeof elementBatch>;
    try {
      batch = elementBatch(operations);
    } catch (error) {
      if (isTaplineError(error)) return undefined;
      throw error;
    }
    const { bytes, last, operations: owners } = batch;
    const written = this.#libc.write(this.#fd, getRawPointer(bytes), bytes.length);
    if (written !== bytes.length) return undefined;
    // The kernel has done it before it comes back from that call, and its answers are there.
    let done = false;
    let failure: Exclude<ExecutionResult, { readonly done: true }> | undefined;
    for (const { sequence, error } of netlinkAnswers(this.#libc, this.#fd)) {
      if (error === 0) done ||= sequence === last;
      else {
        const failed = Math.max(owners[sequence] ?? 0, 0);
        const name = getSystemErrorName(error);
        failure ??= { done: false, failed, message: `nf_tables: ${name}` };
      }
    }
    if (failure !== undefined) return failure;
    return done ? { done: true } : { done: false, failed: 0, message: 'nf_tables: no answer' };
  }

  [Symbol.dispose](): void {
    this.#libc.close(this.#fd);
  }
}
