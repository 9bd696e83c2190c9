import { Worker } from 'node:worker_threads';
import { TaplineError } from '@tapline/base';
import type { Compression } from './compression.ts';
import { createPieceMemory, type PieceBuffers, type PieceMemory } from './piece-buffers.ts';

export interface CompressRequest {
  readonly compression: Compression;
  readonly buffers: PieceBuffers;
  /** Of the piece, which is at the start of the input. */
  readonly length: number;
}

/** Compresses pieces of layers in threads; those that nothing was asked of are not started. */
export interface CompressorPool extends AsyncDisposable {
  /** Pieces worth having under way at once. */
  readonly width: number;
  /** For pieces; what is under way must not be touched. */
  readonly memory: PieceMemory;
  /**
   * Bytes of the compressed form, which is then at the start of the output. Throws
   * `compressor_failed`.
   */
  compress(request: CompressRequest): Promise<number>;
}

interface Job {
  readonly request: CompressRequest;
  readonly resolve: (size: number) => void;
  readonly reject: (error: unknown) => void;
}

export function createCompressorPool({ threads }: { readonly threads: number }): CompressorPool {
  const waiting: Job[] = [];
  const running = new Map<Worker, Job>();
  const idle: Worker[] = [];
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
    const worker = new Worker(new URL(`./compress-thread.${extension}`, import.meta.url), {
      execArgv: [],
    });
    worker.on('message', (size: number) => {
      const job = running.get(worker);
      running.delete(worker);
      worker.unref();
      idle.push(worker);
      job?.resolve(size);
      dispatch();
    });
    worker.on('error', (cause) => lost(worker, cause));
    worker.on('exit', (code) => lost(worker, new Error(`exit code ${code}`)));
    return worker;
  }

  /** A thread that ended takes its piece along, and another one takes its place. */
  function lost(worker: Worker, cause: unknown): void {
    const job = running.get(worker);
    running.delete(worker);
    const at = idle.indexOf(worker);
    if (at >= 0) idle.splice(at, 1);
    if (job === undefined && at < 0) return;
    started -= 1;
    job?.reject(
      closed ?? new TaplineError('compressor_failed', 'a thread that compresses ended', { cause }),
    );
    dispatch();
  }

  return {
    width: threads + 1,
    memory: createPieceMemory(),
    compress(request) {
      if (closed !== undefined) return Promise.reject(closed);
      return new Promise((resolve, reject) => {
        waiting.push({ request, resolve, reject });
        dispatch();
      });
    },
    async [Symbol.asyncDispose]() {
      closed = new TaplineError('compressor_failed', 'the builder was closed');
      for (const job of waiting.splice(0)) job.reject(closed);
      await Promise.all([...idle, ...running.keys()].map((worker) => worker.terminate()));
    },
  };
}
