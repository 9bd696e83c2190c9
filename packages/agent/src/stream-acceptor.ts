import { randomUUID } from 'node:crypto';
import { type Clock, errorMessage, isTaplineError, type Log, TaplineError } from '@tapline/base';
import {
  chunkBytes,
  encodeFrame,
  encodeOutcome,
  type ExecOutcome,
  type SessionInit,
  type StreamRequest,
  type StreamServer,
  type StreamSocket,
} from '@tapline/gateway';
import type { InstallSpec } from '@tapline/resources';
import type { ExitStatus, Runtime } from '@tapline/runtimes';
import type { AgentState } from './agent-state.ts';
import { containerId, containerSpecOf, processOf } from './container-spec-of.ts';
import type { ContainerTable } from './container-table.ts';
import { followLog } from './follow-log.ts';
import type { ImageStore } from './image-store.ts';
import type { InstallRecord } from './install-record.ts';
import { ProcessStreams } from './process-streams.ts';

export interface StreamAcceptorInit {
  readonly device: string;
  readonly state: AgentState;
  readonly images: ImageStore;
  readonly runtime: Runtime;
  readonly containers: ContainerTable;
  /** Where this is a node: what its kernel has. */
  readonly observeNode?: () => Promise<unknown>;
  readonly clock: Clock;
  readonly log: Log;
}

interface Target {
  readonly record: InstallRecord;
  readonly active: InstallSpec;
}

/**
 * Serves exec and logs of what the device serves now. Refusals: `install_unknown`,
 * `install_not_ready`, `nothing_runs`.
 */
export function createStreamAcceptor(init: StreamAcceptorInit): SessionInit['acceptStream'] {
  const { device, state, images, runtime, containers, clock } = init;

  function target(request: Exclude<StreamRequest, { readonly kind: 'node-state' }>): Target {
    const record = state.record(request.uid);
    if (record === undefined || record.removing) {
      throw new TaplineError('install_unknown', `install ${request.install} is not on this device`);
    }
    if (record.active === undefined) {
      throw new TaplineError(
        'install_not_ready',
        `install ${request.install} has no version that works yet`,
      );
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
    const id = `exec.${randomUUID()}`;
    const owner = { device, install: record.name, uid: record.uid };
    try {
      return await runtime.run(containerSpecOf(active, root, { id, command, owner }), io);
    } finally {
      await runtime.remove(id);
    }
  }

  function serveExec(
    wanted: Target,
    request: Extract<StreamRequest, { readonly kind: 'exec' }>,
  ): StreamServer {
    return async (stream, signal) => {
      await using streams = new ProcessStreams(stream, { stdin: request.stdin, signal });
      let outcome: ExecOutcome;
      try {
        const { exitCode, signal: killedBy } = await execute(wanted, request.command, streams.io);
        outcome =
          exitCode === undefined
            ? { kind: 'failed', code: 'program_killed', message: `ended by ${killedBy}` }
            : { kind: 'exited', exitCode };
      } catch (error) {
        signal.throwIfAborted();
        outcome = failed(error);
      }
      await streams.drained();
      await stream.send(encodeFrame({ kind: 'error', bytes: encodeOutcome(outcome) }));
    };
  }

  function serveLogs(
    { record, active }: Target,
    request: Extract<StreamRequest, { readonly kind: 'logs' }>,
  ): StreamServer {
    const { follow, tailLines } = request;
    return async (stream, signal) => {
      try {
        const path = await containers.logPath(record.uid, active.revision);
        await stream.send(encodeFrame({ kind: 'stdout', bytes: new Uint8Array() }));
        const options = { follow, signal, clock };
        const chunks = followLog(
          path,
          tailLines === undefined ? options : { ...options, tailLines },
        );
        for await (const chunk of chunks) await sendChunks(stream, chunk);
        await stream.send(
          encodeFrame({ kind: 'error', bytes: encodeOutcome({ kind: 'exited', exitCode: 0 }) }),
        );
      } catch (error) {
        signal.throwIfAborted();
        await stream.send(encodeFrame({ kind: 'error', bytes: encodeOutcome(failed(error)) }));
      }
    };
  }

  function serveNodeState(request: Extract<StreamRequest, { kind: 'node-state' }>): StreamServer {
    const { observeNode } = init;
    if (observeNode === undefined || request.node !== device) {
      throw new TaplineError('not_a_node', `${device} carries no segments of ${request.node}`);
    }
    return async (stream, signal) => {
      let outcome: ExecOutcome = { kind: 'exited', exitCode: 0 };
      try {
        const text = JSON.stringify(await observeNode());
        signal.throwIfAborted();
        await sendChunks(stream, new TextEncoder().encode(text));
      } catch (error) {
        signal.throwIfAborted();
        outcome = failed(error);
      }
      await stream.send(encodeFrame({ kind: 'error', bytes: encodeOutcome(outcome) }));
    };
  }

  return (request) => {
    if (request.kind === 'node-state') return serveNodeState(request);
    const wanted = target(request);
    switch (request.kind) {
      case 'exec':
        return serveExec(wanted, request);
      case 'logs':
        if (wanted.active.run === undefined) {
          throw new TaplineError(
            'nothing_runs',
            `${wanted.active.formula} runs on demand and keeps no log`,
            { hint: 'run it with `tapline exec`' },
          );
        }
        return serveLogs(wanted, request);
    }
  };
}

function failed(error: unknown): ExecOutcome {
  const code = isTaplineError(error) ? error.code : 'internal_error';
  return { kind: 'failed', code, message: errorMessage(error) };
}

async function sendChunks(stream: StreamSocket, bytes: Uint8Array): Promise<void> {
  for (let offset = 0; offset < bytes.length; offset += chunkBytes) {
    const part = bytes.subarray(offset, offset + chunkBytes);
    await stream.send(encodeFrame({ kind: 'stdout', bytes: part }));
  }
}
