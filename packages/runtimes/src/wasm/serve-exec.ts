import { createServer, type Server, type Socket } from 'node:net';
import { AsyncQueue, errorMessage } from '@tapline/base';
import type { GuestProgram, GuestSystem, StartedProgram } from '@tapline/userland';
import type { ProcessSpec } from '../container-spec.ts';
import { decodeExecFrames, encodeExecFrame, type ExecFrame } from './exec-frames.ts';

export interface ExecInit {
  readonly system: GuestSystem;
  /** A process of the container as the system takes it. */
  readonly programOf: (process: ProcessSpec) => GuestProgram;
}

const mostBytes = 65_536;

/** Runs other processes in a system: a connection each, which ends its process where it breaks. */
export function serveExec(init: ExecInit): Server {
  return createServer((socket) => {
    // A client that was killed shows by the end of its frames.
    socket.on('error', () => {});
    serve(init, socket).catch((error: unknown) => {
      socket.end(encodeExecFrame({ kind: 'failed', message: errorMessage(error) }));
    });
  });
}

async function serve({ system, programOf }: ExecInit, socket: Socket): Promise<void> {
  const send = (frame: ExecFrame): void | Promise<void> => {
    if (socket.destroyed) return;
    if (socket.write(encodeExecFrame(frame))) return;
    return new Promise((resolve) => {
      socket.once('drain', resolve);
      socket.once('close', () => resolve());
    });
  };
  const output = (kind: 'stdout' | 'stderr') => async (bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length; at += mostBytes) {
      await send({ kind, bytes: bytes.subarray(at, at + mostBytes) });
    }
  };
  const stdin = new AsyncQueue<Uint8Array>();
  let end: (() => void) | undefined;
  for await (const frame of decodeExecFrames(socket)) {
    switch (frame.kind) {
      case 'start': {
        const program = system.start({
          ...programOf(frame.process),
          stdin,
          stdout: output('stdout'),
          stderr: output('stderr'),
        });
        end = () => program.kill();
        void tellEnd(program, socket);
        break;
      }
      case 'stdin':
        stdin.push(frame.bytes);
        break;
      case 'end-stdin':
        stdin.close();
        break;
      case 'stdout':
      case 'stderr':
      case 'exit':
      case 'failed':
        break;
    }
  }
  // Of one that has ended nothing is left to kill.
  end?.();
}

async function tellEnd(program: StartedProgram, socket: Socket): Promise<void> {
  const exitCode = await program.ended;
  socket.end(encodeExecFrame({ kind: 'exit', exitCode }));
}
