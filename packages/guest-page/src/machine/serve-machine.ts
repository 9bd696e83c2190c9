import { AsyncQueue, type Clock, type Rng } from '@tapline/base';
import {
  type HostOutput,
  type HostTerminal,
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
  readonly clock: Clock;
  readonly rng: Rng;
}

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
    const { exitCode, refused, unknownSystemCalls } = await runProgram({
      files,
      ...planCommand({ ...wanted, files, config }),
      ...(terminal === undefined
        ? { stdin: input, stdout: output('stdout'), stderr: output('stderr') }
        : { terminal }),
      clock: init.clock,
      rng: init.rng,
      memoryLimit: limits.memory,
      machines: limits.machines,
      hotAfter: limits.hotAfter,
      fuel: limits.fuel,
    });
    send({ kind: 'ended', exitCode, refused, unknownSystemCalls: [...unknownSystemCalls.keys()] });
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
