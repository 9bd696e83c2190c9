import { TaplineError } from '@tapline/base';
import type { ProcessSpec } from '../container-spec.ts';

/** What goes over the socket of a guest, in both directions: a type, a length, and bytes. */
export type ExecFrame =
  | { readonly kind: 'start'; readonly process: ProcessSpec }
  | { readonly kind: 'stdin' | 'stdout' | 'stderr'; readonly bytes: Uint8Array }
  | { readonly kind: 'end-stdin' }
  | { readonly kind: 'exit'; readonly exitCode: number }
  | { readonly kind: 'failed'; readonly message: string };

const kinds = ['start', 'stdin', 'stdout', 'stderr', 'end-stdin', 'exit', 'failed'] as const;
const headerSize = 5;
const largest = 1024 * 1024;

export function encodeExecFrame(frame: ExecFrame): Uint8Array {
  const payload = 'bytes' in frame ? frame.bytes : Buffer.from(JSON.stringify(frame));
  const bytes = Buffer.alloc(headerSize + payload.length);
  bytes.writeUInt8(kinds.indexOf(frame.kind));
  bytes.writeUInt32BE(payload.length, 1);
  bytes.set(payload, headerSize);
  return bytes;
}

/** Frames of a stream of bytes. Throws `exec_frame_invalid`. */
export async function* decodeExecFrames(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<ExecFrame> {
  let held = Buffer.alloc(0);
  for await (const chunk of chunks) {
    held = Buffer.concat([held, chunk]);
    while (held.length >= headerSize) {
      const kind = kinds[held.readUInt8()];
      const size = held.readUInt32BE(1);
      if (kind === undefined || size > largest) {
        throw new TaplineError(
          'exec_frame_invalid',
          `a frame of type ${held[0]} and ${size} bytes; types are below ${kinds.length}, sizes at most ${largest}`,
        );
      }
      if (held.length < headerSize + size) break;
      const payload = held.subarray(headerSize, headerSize + size);
      held = held.subarray(headerSize + size);
      if (kind === 'stdin' || kind === 'stdout' || kind === 'stderr') {
        yield { kind, bytes: new Uint8Array(payload) };
      } else yield JSON.parse(payload.toString()) as ExecFrame;
    }
  }
}
