import { Worker } from 'node:worker_threads';
import { fromErrorData, TaplineError } from '@tapline/base';
import type {
  CompressRequest,
  LayerThreadReply,
  LayerThreadRequest,
} from './layer-thread-protocol.ts';
import { createPieceMemory, type PieceMemory } from './piece-buffers.ts';
import { type ChunkMemory, ChunkReceiver, createChunkMemory } from './pour/chunk-channel.ts';
import type { PouredBottle, PourRequest } from './pour/pour-bottle.ts';

export interface PourOptions {
  /** Takes the layer's bytes in their order, which are valid until it is done. */
  readonly write: (bytes: Uint8Array) => Promise<void>;
  readonly signal?: AbortSignal | undefined;
}

/** Makes layers in threads; those that nothing was asked of are not started. */
export interface LayerThreads extends AsyncDisposable {
  /** Pieces worth having under way at once. */
  readonly width: number;
  /** For pieces; what is under way must not be touched. */
  readonly memory: PieceMemory;
  /**
   * Bytes of the compressed form, which is then at the start of the output. Throws
   * `layer_thread_failed`.
   */
  compress(request: CompressRequest): Promise<number>;
  /** Throws what pouring and writing throw, and `layer_thread_failed`. */
  pour(bottle: PourRequest, options: PourOptions): Promise<PouredBottle>;
}

interface Job {
  readonly request: LayerThreadRequest;
  readonly take: (reply: LayerThreadReply) => void;
  readonly reject: (error: unknown) => void;
}

export function createLayerThreads({ threads }: { readonly threads: number }): LayerThreads {
  const waiting: Job[] = [];
  const running = new Map<Worker, Job>();
  const idle: Worker[] = [];
  const spareMemory: ChunkMemory[] = [];
  let started = 0;
  let closed: TaplineError | undefined;

  function dispatch(): void {
    while (waiting.length > 0) {
      const worker = idle.pop() ?? start();
      const job = worker === undefined ? undefined : waiting.shift();
      if (worker === undefined || job === undefined) return;
      running.set(worker, job);
      // Only what is under way keeps a process alive.
      worker.ref();
      worker.postMessage(job.request, []);
    }
  }

  function start(): Worker | undefined {
    if (started >= threads) return undefined;
    started += 1;
    // Beside this file, which is a .js file once it is bundled.
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const worker = new Worker(new URL(`./layer-thread.${extension}`, import.meta.url), {
      execArgv: [],
    });
    worker.on('message', (reply: LayerThreadReply) => {
      const job = running.get(worker);
      if (reply.kind !== 'chunk') {
        running.delete(worker);
        worker.unref();
        idle.push(worker);
      }
      job?.take(reply);
      dispatch();
    });
    worker.on('error', (cause) => lost(worker, cause));
    worker.on('exit', (code) => lost(worker, new Error(`exit code ${code}`)));
    return worker;
  }

  /** A thread that ended takes its work along, and another one takes its place. */
  function lost(worker: Worker, cause: unknown): void {
    const job = running.get(worker);
    running.delete(worker);
    const at = idle.indexOf(worker);
    if (at >= 0) idle.splice(at, 1);
    if (job === undefined && at < 0) return;
    started -= 1;
    job?.reject(closed ?? threadFailed('a thread that makes layers ended', cause));
    dispatch();
  }

  function ask(
    request: LayerThreadRequest,
    onChunk?: (chunk: Extract<LayerThreadReply, { kind: 'chunk' }>) => void,
  ): Promise<LayerThreadReply> {
    if (closed !== undefined) return Promise.reject(closed);
    return new Promise((resolve, reject) => {
      const take = (reply: LayerThreadReply): void => {
        if (reply.kind === 'chunk') onChunk?.(reply);
        else if (reply.kind === 'failed') reject(fromErrorData(reply.error));
        else resolve(reply);
      };
      waiting.push({ request, take, reject });
      dispatch();
    });
  }

  return {
    width: threads + 1,
    memory: createPieceMemory(),
    async compress(request) {
      const reply = await ask({ kind: 'compress', ...request });
      if (reply.kind !== 'compressed') throw threadFailed(`unexpected reply ${reply.kind}`);
      return reply.size;
    },
    async pour(bottle, { write, signal }) {
      signal?.throwIfAborted();
      const memory = spareMemory.pop() ?? createChunkMemory();
      const receiver = new ChunkReceiver(memory, write);
      const stop = (): void => receiver.stop(signal?.reason);
      signal?.addEventListener('abort', stop);
      try {
        const request = { kind: 'pour', bottle, memory } as const;
        const [reply] = await Promise.allSettled([ask(request, (chunk) => receiver.take(chunk))]);
        // What stopped the thread comes before what the thread says of it.
        await receiver.written();
        if (reply.status === 'rejected') throw reply.reason;
        if (reply.value.kind !== 'poured')
          throw threadFailed(`unexpected reply ${reply.value.kind}`);
        return reply.value.poured;
      } finally {
        signal?.removeEventListener('abort', stop);
        spareMemory.push(memory);
      }
    },
    async [Symbol.asyncDispose]() {
      closed = threadFailed('the builder was closed');
      for (const job of waiting.splice(0)) job.reject(closed);
      await Promise.all([...idle, ...running.keys()].map((worker) => worker.terminate()));
    },
  };
}

function threadFailed(what: string, cause?: unknown): TaplineError {
  return new TaplineError('layer_thread_failed', what, cause === undefined ? {} : { cause });
}
