import { expect, test } from 'vitest';
import { decodeExecFrames, encodeExecFrame, type ExecFrame } from './exec-frames.ts';

const frames: readonly ExecFrame[] = [
  {
    kind: 'start',
    process: {
      command: ['sh', '-c', 'echo'],
      env: { A: '1' },
      workingDirectory: '/',
      user: { uid: 1, gid: 2 },
    },
  },
  { kind: 'stdin', bytes: new Uint8Array([0, 255, 10]) },
  { kind: 'end-stdin' },
  { kind: 'stdout', bytes: new Uint8Array(0) },
  { kind: 'exit', exitCode: 137 },
];

test('frames are the same however the stream is cut', async () => {
  const whole = Buffer.concat(frames.map(encodeExecFrame));
  for (const size of [1, 3, 7, whole.length]) {
    const read: ExecFrame[] = [];
    async function* pieces(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < whole.length; at += size) yield whole.subarray(at, at + size);
    }
    for await (const frame of decodeExecFrames(pieces())) read.push(frame);
    expect(read).toEqual(frames);
  }
});

test('what is no frame is refused', async () => {
  async function* wrong(): AsyncGenerator<Uint8Array> {
    yield Buffer.from([9, 0, 0, 0, 1, 0]);
  }
  await expect(decodeExecFrames(wrong()).next()).rejects.toMatchObject({
    code: 'exec_frame_invalid',
  });
});
