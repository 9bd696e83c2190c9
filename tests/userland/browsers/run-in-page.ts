import type { GuestRun } from '@tapline/guest-page';

/** What is run in a page, with pipes. */
export interface PageRun extends GuestRun {
  /** A byte string. */
  readonly stdin: string;
}

export interface PageResult {
  readonly exitCode: number;
  /** Byte strings. */
  readonly stdout: string;
  readonly stderr: string;
  readonly unknown: readonly number[];
}

/** An expression that runs a guest in the page of a shell, by the worker that the page has. */
export function runInPage(run: PageRun): string {
  return `(${runHere.toString()})(${JSON.stringify(run)})`;
}

/** Runs in the page: it knows nothing of what is around it here. */
async function runHere(run: PageRun): Promise<PageResult> {
  interface Message {
    readonly kind: string;
    readonly stream: 'stdout' | 'stderr';
    readonly bytes: Uint8Array;
    readonly exitCode: number;
    readonly message: string;
    readonly unknownSystemCalls: readonly number[];
  }
  interface PageWorker {
    addEventListener(
      type: string,
      listener: (event: { readonly data: Message; readonly message: string }) => void,
    ): void;
    postMessage(message: unknown): void;
    terminate(): void;
  }
  const page = globalThis as unknown as {
    readonly Worker: new (url: string, options: object) => PageWorker;
    readonly location: { readonly href: string };
  };
  const here = new URL('.', page.location.href).href;
  const { stdin, ...wanted } = run;
  const { source } = wanted;
  const absolute =
    source.kind === 'folder'
      ? { ...source, url: here + source.url }
      : { ...source, registry: here };
  const worker = new page.Worker(`${here}machine-worker.js`, { type: 'module' });
  const written = { stdout: '', stderr: '' };
  try {
    return await new Promise((resolve, reject) => {
      worker.addEventListener('error', ({ message }) => reject(new Error(`worker: ${message}`)));
      worker.addEventListener('message', ({ data }) => {
        if (data.kind === 'output') {
          for (const byte of data.bytes) written[data.stream] += String.fromCharCode(byte);
          worker.postMessage({ kind: 'taken', stream: data.stream });
        } else if (data.kind === 'ended') {
          const { exitCode, unknownSystemCalls: unknown } = data;
          resolve({ exitCode, ...written, unknown });
        } else if (data.kind === 'failed') reject(new Error(data.message));
      });
      const { fuel = Infinity, ...limits } = wanted.limits as { fuel?: number };
      worker.postMessage({
        kind: 'start',
        ...wanted,
        source: absolute,
        limits: { ...limits, fuel },
      });
      const bytes = Uint8Array.from(stdin, (character) => character.charCodeAt(0));
      if (bytes.length > 0) worker.postMessage({ kind: 'input', bytes });
      worker.postMessage({ kind: 'end-input' });
    });
  } finally {
    worker.terminate();
  }
}
