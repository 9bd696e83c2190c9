import { type Clock, TaplineError } from '@tapline/base';
import type { WindowSize } from '@tapline/userland';
import type { FromMachine, GuestEnd, GuestRun, GuestStream, ToMachine } from './messages.ts';
import { watchWorker } from './watch-worker.ts';

/** A worker, as far as a guest needs one. */
export interface GuestWorker {
  addEventListener(type: 'message', listener: (event: MessageEvent) => void): void;
  addEventListener(type: 'error', listener: (event: ErrorEvent) => void): void;
  postMessage(message: ToMachine): void;
  terminate(): void;
}

export interface GuestInit {
  /** A worker of `machine-worker.ts` that nobody has used. */
  readonly worker: GuestWorker;
  readonly run: GuestRun;
  /** Shows output; the guest goes on writing when its promise is kept. */
  readonly onOutput: (stream: GuestStream, bytes: Uint8Array) => void | Promise<void>;
  readonly onProgress?: (fetched: number, of: number) => void;
  readonly clock: Clock;
  /** Milliseconds without an answer after which the worker is ended; 30 seconds when left out. */
  readonly watchdogMs?: number;
}

/** A guest that runs in a worker. */
export interface Guest {
  /** Rejects with the error of the machine, with `guest_hung`, or with `guest_ended`. */
  readonly ended: Promise<GuestEnd>;
  /** Input: of the terminal, where it has one. */
  write(bytes: Uint8Array): void;
  endInput(): void;
  resize(size: WindowSize): void;
  /** Ends it, whatever it does. Not a disposable: WebKit knows no `using` yet. */
  end(): void;
}

/** Runs a guest beside the page, which goes on whatever the guest does. */
export function startGuest(init: GuestInit): Guest {
  const { worker, clock, watchdogMs = 30_000 } = init;
  const { promise: ended, resolve, reject } = Promise.withResolvers<GuestEnd>();
  const send = (message: ToMachine): void => worker.postMessage(message);
  const finish = (): void => {
    watch.end();
    worker.terminate();
  };
  const fail = (error: TaplineError): void => {
    finish();
    reject(error);
  };

  async function show(stream: GuestStream, bytes: Uint8Array): Promise<void> {
    await init.onOutput(stream, bytes);
    send({ kind: 'taken', stream });
  }

  worker.addEventListener('message', ({ data }) => {
    watch.heard();
    const message = data as FromMachine;
    switch (message.kind) {
      case 'output':
        show(message.stream, message.bytes).catch((cause: unknown) =>
          fail(new TaplineError('guest_output', 'what the guest wrote was not taken', { cause })),
        );
        break;
      case 'fetched':
        init.onProgress?.(message.bytes, message.of);
        break;
      case 'ended': {
        const { exitCode, refused, unknownSystemCalls } = message;
        finish();
        resolve({ exitCode, refused, unknownSystemCalls });
        break;
      }
      case 'failed':
        fail(
          new TaplineError(message.code, message.message, {
            ...(message.hint !== undefined && { hint: message.hint }),
          }),
        );
        break;
      case 'pong':
        break;
    }
  });
  worker.addEventListener('error', (event) =>
    fail(new TaplineError('guest_worker', `the machine's worker ended: ${event.message}`)),
  );

  send({ kind: 'start', ...init.run });
  const watch = watchWorker({
    ping: () => send({ kind: 'ping' }),
    onHung: fail,
    clock,
    watchdogMs,
  });

  return {
    ended,
    write: (bytes) => send({ kind: 'input', bytes }),
    endInput: () => send({ kind: 'end-input' }),
    resize: (size) => send({ kind: 'resize', size }),
    end: () => fail(new TaplineError('guest_ended', 'the guest was ended')),
  };
}
