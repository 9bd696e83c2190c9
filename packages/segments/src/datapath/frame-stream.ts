import { TaplineError } from '@tapline/base';
import { read32 } from './bytes.ts';

/** A frame in a stream has its length before it, in four bytes, the highest first. */
export const frameLengthBytes = 4;
/** What the other end takes at most: QEMU's NET_BUFSIZE of net/net.h. */
export const longestStreamFrame: number = 4096 + 65_536;

/**
 * Takes frames out of a stream as QEMU's `-netdev stream` writes it, whatever its pieces are. `onFrame`
 * gets bytes that are valid in the call only. Throws `frame_length_invalid`, after which the rest of
 * the stream means nothing.
 */
export function frameStream(
  onFrame: (bytes: Uint8Array, range: { readonly start: number; readonly end: number }) => void,
): { readonly push: (chunk: Uint8Array) => void } {
  /** What came of a frame that is not whole. */
  let rest = new Uint8Array(0);
  return {
    push(chunk) {
      const bytes = rest.length === 0 ? chunk : joined(rest, chunk);
      let at = 0;
      while (bytes.length - at >= frameLengthBytes) {
        const length = read32(bytes, at);
        if (length === 0 || length > longestStreamFrame) {
          throw new TaplineError(
            'frame_length_invalid',
            `a frame of ${length} bytes is announced; 1 to ${longestStreamFrame} are taken`,
          );
        }
        const start = at + frameLengthBytes;
        if (bytes.length - start < length) break;
        onFrame(bytes, { start, end: start + length });
        at = start + length;
      }
      // A copy: the chunk is its owner's.
      rest = bytes.slice(at);
    },
  };
}

/** The frame with its length before it, in bytes of their own. */
export function streamFrame(
  bytes: Uint8Array,
  { start, end }: { readonly start: number; readonly end: number },
): Uint8Array {
  const made = new Uint8Array(frameLengthBytes + end - start);
  new DataView(made.buffer).setUint32(0, end - start);
  made.set(bytes.subarray(start, end), frameLengthBytes);
  return made;
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const made = new Uint8Array(first.length + second.length);
  made.set(first);
  made.set(second, first.length);
  return made;
}
