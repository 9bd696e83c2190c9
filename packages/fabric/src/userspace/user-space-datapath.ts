import { writeSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { TaplineError } from '@tapline/base';
import type { FabricIntent, SwitchedSegments } from '@tapline/segments';
import { portBatches, runPortBatches } from './configure-ports.ts';
import type {
  Datapath,
  DatapathCounters,
  DatapathOutcome,
  DatapathReply,
  DatapathRequest,
} from './datapath-messages.ts';

export interface UserSpaceDatapathOptions {
  /** This node's name in intents. */
  readonly node: string;
}

type WithoutId<T> = T extends unknown ? Omit<T, 'id'> : never;

interface Waiting {
  readonly resolve: (reply: DatapathReply) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Carries a node's segments without the kernel's bridge, VXLAN and rules: a TAP interface for each
 * port, UDP between nodes and the switch between them, in a thread of its own. Nothing of it outlives
 * the process: when it is killed, its interfaces are gone and nothing passes.
 */
export class UserSpaceDatapath implements Datapath {
  readonly #node: string;
  readonly #worker: Worker;
  readonly #wakeFd: number;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #ended: TaplineError | undefined;
  #serving: Promise<unknown> = Promise.resolve();

  private constructor(worker: Worker, options: { readonly node: string; readonly wakeFd: number }) {
    this.#worker = worker;
    this.#node = options.node;
    this.#wakeFd = options.wakeFd;
    worker.on('message', (reply: DatapathReply) => {
      if (reply.kind === 'started') return;
      const waiting = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      if (reply.kind === 'failed') waiting?.reject(new TaplineError(reply.code, reply.message));
      else waiting?.resolve(reply);
    });
    worker.on('error', (cause) => this.#end(cause));
    worker.on('exit', () => this.#end(undefined));
  }

  /** Throws `ffi_unavailable` where this Node or machine cannot. */
  static async start(options: UserSpaceDatapathOptions): Promise<UserSpaceDatapath> {
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const worker = new Worker(new URL(`./datapath-thread.${extension}`, import.meta.url), {
      // node:ffi warns that it is experimental; docs/decisions say why it is used all the same.
      execArgv: ['--disable-warning=ExperimentalWarning'],
      workerData: { node: options.node },
    });
    const started = await new Promise<number>((resolve, reject) => {
      worker.once('message', (reply: DatapathReply) => {
        resolve(reply.kind === 'started' ? reply.wakeFd : -1);
      });
      worker.once('error', reject);
    });
    return new UserSpaceDatapath(worker, { node: options.node, wakeFd: started });
  }

  /** Makes the node what the intent says; calls are served one after the other. */
  async apply(intent: FabricIntent): Promise<DatapathOutcome> {
    const serving = this.#serving.then(() => this.#apply(intent));
    this.#serving = serving.catch(() => undefined);
    return serving;
  }

  async counters(): Promise<DatapathCounters> {
    const reply = await this.#ask({ kind: 'counters' });
    if (reply.kind !== 'counters') throw unexpected(reply);
    return reply.counters;
  }

  /** What its thread decides by, read from it. */
  async tables(): Promise<readonly SwitchedSegments[]> {
    const reply = await this.#ask({ kind: 'tables' });
    if (reply.kind !== 'tables') throw unexpected(reply);
    return reply.carriers;
  }

  planned(intent: FabricIntent, names: ReadonlySet<string>): readonly string[] {
    const batches = portBatches(intent, { node: this.#node, names });
    return [
      ...[...names].map((name) => `tap ${name}`),
      ...batches.flatMap(({ namespace, lines }) =>
        lines.map((line) =>
          namespace === undefined ? `ip ${line}` : `ip ${line} (in ${namespace})`,
        ),
      ),
    ];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended !== undefined) return;
    await this.#ask({ kind: 'stop' });
    await this.#worker.terminate();
  }

  async #apply(intent: FabricIntent): Promise<DatapathOutcome> {
    const reply = await this.#ask({ kind: 'apply', intent });
    if (reply.kind !== 'applied') throw unexpected(reply);
    const { outcome } = reply;
    try {
      await runPortBatches(
        portBatches(intent, { node: this.#node, names: new Set(outcome.opened) }),
      );
    } catch (error) {
      // Half set up is worse than not there: the next call is to find them new again.
      const without = intent.segments.map((segment) => ({ ...segment, ports: [] }));
      await this.#ask({ kind: 'apply', intent: { ...intent, segments: without } });
      throw error;
    }
    return outcome;
  }

  #ask(request: WithoutId<DatapathRequest>): Promise<DatapathReply> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ ...request, id }, []);
      // The thread waits in poll(2): an eventfd takes a number of 8 bytes.
      writeSync(this.#wakeFd, Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0));
    });
  }

  #end(cause: unknown): void {
    this.#ended ??= new TaplineError('datapath_ended', 'the data path has ended', { cause });
    for (const { reject } of this.#waiting.values()) reject(this.#ended);
    this.#waiting.clear();
  }
}

function unexpected(reply: DatapathReply): TaplineError {
  return new TaplineError('internal', `the data path answered ${reply.kind}`);
}
