import { type Clock, TaplineError } from '@tapline/base';
import type { WindowSize } from '@tapline/userland';
import type { GuestStream } from '../machine/messages.ts';
import { watchWorker } from '../machine/watch-worker.ts';
import type {
  ContainerMachine,
  ContainerProgram,
  FromContainer,
  ToContainer,
} from './container-messages.ts';

/** A worker, as far as a container needs one. */
export interface ContainerWorker {
  addEventListener(type: 'message', listener: (event: MessageEvent) => void): void;
  addEventListener(type: 'error', listener: (event: ErrorEvent) => void): void;
  postMessage(message: ToContainer, transfer: ArrayBuffer[]): void;
  terminate(): void;
}

export type TakeOutput = (stream: GuestStream, bytes: Uint8Array) => void | Promise<void>;

/** A program in a container. */
export interface ContainerProcess {
  readonly started: Promise<void>;
  /** Its exit code, as a shell has it. Rejects with the machine's error, `guest_hung` or `guest_ended`. */
  readonly ended: Promise<number>;
  write(bytes: Uint8Array): void;
  endInput(): void;
  resize(size: WindowSize): void;
  signal(number: number): void;
  /** Ends it and what it has started; the container, where it is its first. */
  kill(): void;
}

/** A container of guests in a worker; it ends with its first program. */
export interface PageContainer {
  readonly first: ContainerProcess;
  start(program: ContainerProgram, onOutput: TakeOutput): ContainerProcess;
  /** Ends the worker, whatever it does. */
  end(): void;
}

/** Opens a container in a worker of `container-worker.ts` that nobody has used. */
export function openContainer(init: {
  readonly worker: ContainerWorker;
  readonly machine: ContainerMachine;
  readonly program: ContainerProgram;
  readonly onOutput: TakeOutput;
  readonly clock: Clock;
  /** Milliseconds without an answer after which the worker is ended; 30 seconds when left out. */
  readonly watchdogMs?: number;
}): PageContainer {
  const { worker, machine, clock, watchdogMs = 30_000 } = init;
  const programs = new Map<number, OpenProgram>();
  let isOver = false;
  let next = 0;
  const send = (message: ToContainer, transfer: ArrayBuffer[] = []): void => {
    if (!isOver) worker.postMessage(message, transfer);
  };

  /** With the container all its programs end. */
  function finish(error: TaplineError): void {
    if (isOver) return;
    isOver = true;
    watch.end();
    worker.terminate();
    for (const program of programs.values()) {
      program.started.reject(error);
      program.ended.reject(error);
    }
    programs.clear();
  }

  function add(onOutput: TakeOutput): { readonly id: number; readonly process: ContainerProcess } {
    const id = next++;
    const program: OpenProgram = {
      started: Promise.withResolvers(),
      ended: Promise.withResolvers(),
      onOutput,
    };
    // Whoever does not wait for one of them waits for the other.
    program.started.promise.catch(() => undefined);
    program.ended.promise.catch(() => undefined);
    programs.set(id, program);
    const process: ContainerProcess = {
      started: program.started.promise,
      ended: program.ended.promise,
      write: (bytes) => send({ kind: 'input', id, bytes }),
      endInput: () => send({ kind: 'end-input', id }),
      resize: (size) => send({ kind: 'resize', id, size }),
      signal: (number) => send({ kind: 'signal', id, number }),
      kill: () => (id === 0 ? end() : send({ kind: 'kill', id })),
    };
    return { id, process };
  }

  async function show(message: Extract<FromContainer, { readonly kind: 'output' }>): Promise<void> {
    const { id, stream, bytes } = message;
    try {
      await programs.get(id)?.onOutput(stream, bytes);
    } catch (cause) {
      finish(new TaplineError('guest_output', 'what the guest wrote was not taken', { cause }));
    }
    send({ kind: 'taken', id, stream });
  }

  function take(message: FromContainer): void {
    watch.heard();
    switch (message.kind) {
      case 'started':
        programs.get(message.id)?.started.resolve();
        break;
      case 'output':
        void show(message);
        break;
      case 'ended':
        programs.get(message.id)?.ended.resolve(message.exitCode);
        programs.delete(message.id);
        if (message.id === 0) finish(new TaplineError('guest_ended', 'its container has ended'));
        break;
      case 'failed': {
        const { id, code, message: text, hint } = message;
        const error = new TaplineError(code, text, hint === undefined ? {} : { hint });
        programs.get(id)?.started.reject(error);
        programs.get(id)?.ended.reject(error);
        programs.delete(id);
        if (id === 0) finish(error);
        break;
      }
      case 'pong':
        break;
    }
  }

  function end(): void {
    finish(new TaplineError('guest_ended', 'the guest was ended'));
  }

  worker.addEventListener('message', ({ data }) => take(data as FromContainer));
  worker.addEventListener('error', (event) =>
    finish(new TaplineError('guest_worker', `the machine's worker ended: ${event.message}`)),
  );
  const first = add(init.onOutput);
  // The layers are the worker's from here on: there is no second copy of them.
  send(
    { kind: 'open', id: first.id, machine, program: init.program },
    machine.layers.map(({ bytes }) => bytes.buffer),
  );
  const watch = watchWorker({
    ping: () => send({ kind: 'ping' }),
    onHung: finish,
    clock,
    watchdogMs,
  });
  return {
    first: first.process,
    start(program, onOutput) {
      const { id, process } = add(onOutput);
      send({ kind: 'start', id, program });
      if (isOver) finishOne(programs, id);
      return process;
    },
    end,
  };
}

interface OpenProgram {
  readonly started: PromiseWithResolvers<void>;
  readonly ended: PromiseWithResolvers<number>;
  readonly onOutput: TakeOutput;
}

/** One that was started where the container is no more. */
function finishOne(programs: Map<number, OpenProgram>, id: number): void {
  const error = new TaplineError('guest_ended', 'its container has ended');
  programs.get(id)?.started.reject(error);
  programs.get(id)?.ended.reject(error);
  programs.delete(id);
}
