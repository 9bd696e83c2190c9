import { AsyncQueue, type Clock, type Rng, TaplineError } from '@tapline/base';
import {
  findProgram,
  type GuestSystem,
  type HostOutput,
  type LayerDirectory,
  openGuestSystem,
  type StartedProgram,
  tarLayers,
  type WindowSize,
} from '@tapline/userland';
import { decompressLayer } from '../image/decompress-layer.ts';
import { failureOf } from '../machine/failure-of.ts';
import type { GuestStream } from '../machine/messages.ts';
import type {
  ContainerMachine,
  ContainerProgram,
  FromContainer,
  ToContainer,
} from './container-messages.ts';

export interface ContainerInit {
  readonly send: (message: FromContainer) => void;
  readonly clock: Clock;
  readonly rng: Rng;
}

/** A program under way, and what of it the page is told or asked. */
interface Running {
  readonly program: StartedProgram;
  readonly input: AsyncQueue<Uint8Array>;
  readonly taken: Map<GuestStream, () => void>;
  readonly resized: Set<(size: WindowSize) => void>;
}

/** Arrivals at a place after which it is translated. */
const hotAfter = 8000;

/** The worker's side: one system for guests, in which programs run until its first one ends. */
export function serveContainer(init: ContainerInit): (message: ToContainer) => void {
  const { send, clock, rng } = init;
  const running = new Map<number, Running>();
  let opened: { readonly system: GuestSystem; readonly files: LayerDirectory } | undefined;

  /** Nothing more of a stream is sent before the page has taken what was. */
  function outputTo(id: number, taken: Running['taken']): (stream: GuestStream) => HostOutput {
    return (stream) => (bytes) =>
      new Promise((resolve) => {
        taken.set(stream, resolve);
        send({ kind: 'output', id, stream, bytes });
      });
  }

  function start(id: number, wanted: ContainerProgram): StartedProgram {
    if (opened === undefined) {
      throw new TaplineError('container_unknown', 'the container has not been opened yet');
    }
    const { argv, env, folder, user, terminal: size } = wanted;
    const input = new AsyncQueue<Uint8Array>();
    const taken: Running['taken'] = new Map();
    const resized: Running['resized'] = new Set();
    const output = outputTo(id, taken);
    const onResize = (listener: (size: WindowSize) => void): (() => void) => {
      resized.add(listener);
      return () => void resized.delete(listener);
    };
    const program = opened.system.start({
      path: findProgram(opened.files, argv[0] ?? '', env),
      argv,
      env,
      folder,
      user: { ...user, groups: [] },
      ...(size === undefined
        ? { stdin: input, stdout: output('stdout'), stderr: output('stderr') }
        : { terminal: { size, input, output: output('terminal'), onResize } }),
    });
    running.set(id, { program, input, taken, resized });
    send({ kind: 'started', id });
    return program;
  }

  async function open(id: number, machine: ContainerMachine, wanted: ContainerProgram) {
    const { layers, hostName, memory, storage, threads, machines } = machine;
    const archives = await Promise.all(
      layers.map(({ bytes, mediaType }) => decompressLayer(bytes, mediaType)),
    );
    const files = tarLayers(archives);
    const system = openGuestSystem({
      files,
      clock,
      rng,
      hostName,
      memoryLimit: memory,
      storageLimit: storage,
      mostThreads: threads,
      machines,
      hotAfter,
    });
    opened = { system, files };
    const exitCode = await system.run(start(id, wanted), { fuel: Number.POSITIVE_INFINITY });
    send({ kind: 'ended', id, exitCode });
  }

  async function startAnother(id: number, wanted: ContainerProgram): Promise<void> {
    const exitCode = await start(id, wanted).ended;
    running.delete(id);
    send({ kind: 'ended', id, exitCode });
  }

  function tell(id: number, work: Promise<void>): void {
    work.catch((error: unknown) => send({ kind: 'failed', id, ...failureOf(error) }));
  }

  return (message) => {
    switch (message.kind) {
      case 'open':
        return tell(message.id, open(message.id, message.machine, message.program));
      case 'start':
        return tell(message.id, startAnother(message.id, message.program));
      case 'input':
        return running.get(message.id)?.input.push(message.bytes);
      case 'end-input':
        return running.get(message.id)?.input.close();
      case 'resize':
        for (const listener of running.get(message.id)?.resized ?? []) listener(message.size);
        return undefined;
      case 'signal':
        return running.get(message.id)?.program.signal(message.number);
      case 'kill':
        return running.get(message.id)?.program.kill();
      case 'taken':
        return running.get(message.id)?.taken.get(message.stream)?.();
      case 'ping':
        return send({ kind: 'pong' });
    }
  };
}
