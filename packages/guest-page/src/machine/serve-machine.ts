import { AsyncQueue, type Clock, type Rng } from '@tapline/base';
import type { CodeSource } from '../code/open-program-code.ts';
import type { PageCode } from '../code/page-code.ts';
import {
  type HostOutput,
  type HostTerminal,
  type LayerDirectory,
  planCommand,
  runProgram,
  type WindowSize,
} from '@tapline/userland';
import { failureOf } from './failure-of.ts';
import type { FromMachine, GuestRun, GuestStream, ToMachine } from './messages.ts';
import type { GuestFiles } from './open-guest-files.ts';

export interface MachineInit {
  readonly send: (message: FromMachine) => void;
  readonly openFiles: (
    source: GuestRun['source'],
    onProgress: (fetched: number, of: number) => void,
  ) => Promise<GuestFiles>;
  /** The translated code of a program, undefined where none can be kept. */
  readonly openCode: (
    source: CodeSource,
    program: { readonly files: LayerDirectory; readonly path: string; readonly clock: Clock },
  ) => Promise<PageCode | undefined>;
  readonly clock: Clock;
  readonly rng: Rng;
}

/** A shell is left by closing its page: what has come to it by then is kept now and then. */
const keepEveryMs = 20_000;

/** The worker's side: runs one guest, and answers messages about it. What it answers takes them. */
export function serveMachine(init: MachineInit): (message: ToMachine) => void {
  const { send } = init;
  const input = new AsyncQueue<Uint8Array>();
  const taken = new Map<GuestStream, () => void>();
  const resized = new Set<(size: WindowSize) => void>();

  /** Nothing more of a stream is sent before the page has taken what was. */
  const output =
    (stream: GuestStream): HostOutput =>
    (bytes) =>
      new Promise((resolve) => {
        taken.set(stream, resolve);
        send({ kind: 'output', stream, bytes });
      });

  async function run(wanted: GuestRun): Promise<void> {
    const { limits } = wanted;
    const { files, config } = await init.openFiles(wanted.source, (bytes, of) =>
      send({ kind: 'fetched', bytes, of }),
    );
    const terminal: HostTerminal | undefined = wanted.terminal && {
      size: wanted.terminal,
      input,
      output: output('terminal'),
      onResize: (listener) => {
        resized.add(listener);
        return () => resized.delete(listener);
      },
    };
    const command = planCommand({ ...wanted, files, config });
    const { clock } = init;
    const code = wanted.code && (await init.openCode(wanted.code, { ...command, files, clock }));
    const over = new AbortController();
    const keeping = code && keepNowAndThen(code, over.signal);
    const { exitCode, refused, unknownSystemCalls } = await runProgram({
      files,
      ...command,
      ...(code !== undefined && { codeCache: code.cache }),
      ...(terminal === undefined
        ? { stdin: input, stdout: output('stdout'), stderr: output('stderr') }
        : { terminal }),
      clock,
      rng: init.rng,
      memoryLimit: limits.memory,
      machines: limits.machines,
      hotAfter: limits.hotAfter,
      fuel: limits.fuel,
    }).finally(() => over.abort());
    await keeping;
    await code?.keep();
    send({ kind: 'ended', exitCode, refused, unknownSystemCalls: [...unknownSystemCalls.keys()] });
  }

  async function keepNowAndThen(code: PageCode, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      // It rejects when the program has ended.
      await init.clock.sleep(keepEveryMs, { signal }).catch(() => {});
      await code.keep();
    }
  }

  return (message) => {
    switch (message.kind) {
      case 'start':
        run(message).catch((error: unknown) => send({ kind: 'failed', ...failureOf(error) }));
        break;
      case 'input':
        input.push(message.bytes);
        break;
      case 'end-input':
        input.close();
        break;
      case 'resize':
        for (const listener of resized) listener(message.size);
        break;
      case 'taken':
        taken.get(message.stream)?.();
        break;
      case 'ping':
        send({ kind: 'pong' });
        break;
    }
  };
}
