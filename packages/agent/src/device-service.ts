import type { MessageInitShape } from '@bufbuild/protobuf';
import { type Clock, errorMessage, isTaplineError, type Log, TaplineError } from '@tapline/base';
import {
  chunkBytes,
  type ExecRequest,
  type ExecResponseSchema,
  type InstallReference,
  type SessionInit,
  type WriteFileRequest,
} from '@tapline/gateway';
import type { InstallSpec } from '@tapline/resources';
import type { ExitStatus, Runtime } from '@tapline/runtimes';
import type { InstallState } from './agent-state.ts';
import { containerId, containerSpecOf, processOf } from './container-spec-of.ts';
import type { ContainerTable } from './container-table.ts';
import type { SharedFolder } from './files/shared-folder.ts';
import type { FollowOptions } from './follow-log.ts';
import type { ImageStore } from './image-store.ts';
import type { InstallRecord } from './install-record.ts';
import { ProcessStreams } from './process-streams.ts';

export interface DeviceServiceInit {
  readonly device: string;
  readonly state: InstallState;
  readonly images: ImageStore;
  readonly runtime: Runtime;
  readonly containers: ContainerTable;
  /** Where this is a node: what its kernel has. */
  readonly observeNode?: () => Promise<unknown>;
  /** The folder whose files users may read and write. */
  readonly files?: SharedFolder;
  /** What a program of the runtime has printed. */
  readonly followLog: FollowLog;
  readonly clock: Clock;
  readonly log: Log;
}

export type FollowLog = (
  path: string | undefined,
  options: FollowOptions,
) => AsyncIterable<Uint8Array>;

interface Target {
  readonly record: InstallRecord;
  readonly active: InstallSpec;
}

type ExecAnswer = MessageInitShape<typeof ExecResponseSchema>;
type Outcome = Extract<NonNullable<ExecAnswer['output']>, { case: 'outcome' }>['value'];

const maxArguments = 256;

/**
 * What a gateway may call of a device: exec and logs of what it serves now, and of a node what its kernel
 * has. Refusals: `install_unknown`, `install_not_ready`, `nothing_runs`, `not_a_node`, `call_invalid`.
 */
export function createDeviceService(init: DeviceServiceInit): SessionInit['service'] {
  const { device, state, images, runtime, containers, clock } = init;

  function target(install: InstallReference | undefined): Target {
    const { name = '', uid = '' } = install ?? {};
    const record = state.record(uid);
    if (record === undefined || record.removing) {
      throw new TaplineError('install_unknown', `install ${name} is not on this device`);
    }
    if (record.active === undefined) {
      throw new TaplineError('install_not_ready', `install ${name} has no version that works yet`);
    }
    return { record, active: record.active };
  }

  /** In the running container, or for a package that runs on demand in one of its own. */
  async function execute(
    { record, active }: Target,
    command: readonly string[],
    io: Parameters<Runtime['run']>[1],
  ): Promise<ExitStatus> {
    const root = await images.root(active.image);
    if (active.run !== undefined) {
      return runtime.exec(
        containerId(record.uid, active.revision),
        processOf(active, root, command),
        io,
      );
    }
    const id = `exec.${crypto.randomUUID()}`;
    const owner = { device, install: record.name, uid: record.uid };
    try {
      return await runtime.run(containerSpecOf(active, root, { id, command, owner }), io);
    } finally {
      await runtime.remove(id);
    }
  }

  function shared(): SharedFolder {
    if (init.files !== undefined) return init.files;
    throw new TaplineError('files_not_shared', `device ${device} shares no folder`, {
      hint: 'its agent names one with --files',
    });
  }

  async function* exec(
    requests: AsyncIterable<ExecRequest>,
    { signal }: { readonly signal: AbortSignal },
  ): AsyncGenerator<ExecAnswer, void> {
    const inputs = requests[Symbol.asyncIterator]();
    const first = (await inputs.next()) as IteratorResult<ExecRequest, undefined>;
    const start = first.value?.input;
    if (start?.case !== 'start') {
      throw new TaplineError('call_invalid', 'an exec does not begin with its start');
    }
    const { install, command, stdin } = start.value;
    if (command.length === 0 || command.length > maxArguments) {
      throw new TaplineError(
        'call_invalid',
        `a command of ${command.length} words is not one of 1 to ${maxArguments}`,
      );
    }
    const wanted = target(install);
    yield { output: { case: 'accepted', value: {} } };
    using streams = new ProcessStreams({ stdin: stdin ? typed(inputs) : undefined, signal });
    const outcome = outcomeOf(execute(wanted, command, streams.io)).finally(() => streams.end());
    for await (const { kind, bytes } of streams.output()) {
      yield { output: { case: kind, value: bytes } };
    }
    yield { output: { case: 'outcome', value: await outcome } };
  }

  return {
    exec,
    async *logs({ install, follow, tailLines }, { signal }) {
      const { record, active } = target(install);
      if (active.run === undefined) {
        throw new TaplineError(
          'nothing_runs',
          `${active.formula} runs on demand and keeps no log`,
          {
            hint: 'run it with `tapline exec`',
          },
        );
      }
      const path = await containers.logPath(record.uid, active.revision);
      yield {};
      const options = { follow, signal, clock };
      const chunks = init.followLog(
        path,
        tailLines === undefined ? options : { ...options, tailLines },
      );
      for await (const chunk of chunks) {
        for (const output of inChunks(chunk)) yield { output };
      }
    },
    async *readFile({ path }) {
      const { sizeBytes, parts } = await shared().read(path);
      yield { sizeBytes: BigInt(sizeBytes) };
      for await (const content of parts) yield { content };
    },
    async writeFile(requests) {
      const inputs = requests[Symbol.asyncIterator]();
      const first = (await inputs.next()) as IteratorResult<WriteFileRequest, undefined>;
      const start = first.value?.part;
      if (start?.case !== 'start') {
        throw new TaplineError('call_invalid', 'a file does not begin with its name');
      }
      const { path, sizeBytes } = start.value;
      const parts = contentOf(inputs);
      return { sha256: await shared().write(path, { sizeBytes: Number(sizeBytes), parts }) };
    },
    async *observeNode({ node }) {
      const { observeNode } = init;
      if (observeNode === undefined || node !== device) {
        throw new TaplineError('not_a_node', `${device} carries no segments of ${node}`);
      }
      const text = JSON.stringify(await observeNode());
      for (const json of inChunks(new TextEncoder().encode(text))) yield { json };
    },
  };
}

async function outcomeOf(running: Promise<ExitStatus>): Promise<Outcome> {
  try {
    const { exitCode, signal } = await running;
    if (exitCode !== undefined) return { outcome: { case: 'exitCode', value: exitCode } };
    return failure('program_killed', `ended by ${signal}`);
  } catch (error) {
    return failure(isTaplineError(error) ? error.code : 'internal_error', errorMessage(error));
  }
}

function failure(code: string, message: string): Outcome {
  return { outcome: { case: 'failure', value: { code, message } } };
}

async function* typed(inputs: AsyncIterator<ExecRequest>): AsyncGenerator<Uint8Array, void> {
  for (;;) {
    const next = (await inputs.next()) as IteratorResult<ExecRequest, undefined>;
    if (next.done === true) return;
    if (next.value.input.case === 'stdin') yield next.value.input.value;
  }
}

async function* contentOf(
  inputs: AsyncIterator<WriteFileRequest>,
): AsyncGenerator<Uint8Array, void> {
  for (;;) {
    const next = (await inputs.next()) as IteratorResult<WriteFileRequest, undefined>;
    if (next.done === true) return;
    if (next.value.part.case === 'content') yield next.value.part.value;
  }
}

function* inChunks(bytes: Uint8Array): Generator<Uint8Array, void> {
  for (let offset = 0; offset < bytes.length; offset += chunkBytes) {
    yield bytes.subarray(offset, offset + chunkBytes);
  }
}
