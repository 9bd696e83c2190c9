import { createConnection } from 'node:net';
import { once } from 'node:events';
import { TaplineError } from '@tapline/base';
import type { ProcessSpec } from '../container-spec.ts';
import { decodeExecFrames, encodeExecFrame } from './exec-frames.ts';

const mostBytes = 65_536;

/** Has a process run in the guest whose socket that is, with the streams of this one. */
export async function callExec(socketPath: string, process_: ProcessSpec): Promise<number> {
  const socket = createConnection(socketPath);
  await once(socket, 'connect');
  socket.on('error', () => {});
  socket.write(encodeExecFrame({ kind: 'start', process: process_ }));

  async function feed(): Promise<void> {
    for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
      for (let at = 0; at < chunk.length; at += mostBytes) {
        const bytes = chunk.subarray(at, at + mostBytes);
        if (socket.write(encodeExecFrame({ kind: 'stdin', bytes }))) continue;
        await Promise.race([once(socket, 'drain'), once(socket, 'close')]);
      }
      if (socket.destroyed) return;
    }
    if (!socket.destroyed) socket.write(encodeExecFrame({ kind: 'end-stdin' }));
  }
  // Input that breaks has ended.
  feed().catch(() => socket.write(encodeExecFrame({ kind: 'end-stdin' })));
  for await (const frame of decodeExecFrames(socket)) {
    if (frame.kind === 'stdout') process.stdout.write(frame.bytes);
    else if (frame.kind === 'stderr') process.stderr.write(frame.bytes);
    else if (frame.kind === 'exit') return frame.exitCode;
    else if (frame.kind === 'failed') throw new TaplineError('exec_failed', frame.message);
  }
  // Its container ended, and it with that.
  return 137;
}
