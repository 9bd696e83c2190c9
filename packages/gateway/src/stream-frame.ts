import { TaplineError } from '@tapline/base';

/** The first byte of each message (`v5.channel.k8s.io`, Kubernetes's remote command protocol). */
export const channels = {
  stdin: 0,
  stdout: 1,
  stderr: 2,
  error: 3,
  resize: 4,
  close: 255,
} as const;

export const streamProtocol = 'v5.channel.k8s.io';

/** Bytes of a message with its channel. */
export const maxFrameBytes = 1_048_576;

/** Bytes sent in one message; small enough that several streams share a link fairly. */
export const chunkBytes = 32_768;

export type StreamFrame =
  | {
      readonly kind: 'stdin' | 'stdout' | 'stderr' | 'error' | 'resize';
      readonly bytes: Uint8Array;
    }
  /** Nothing follows on that channel: how a client ends stdin. */
  | { readonly kind: 'close'; readonly channel: number };

const kinds = ['stdin', 'stdout', 'stderr', 'error', 'resize'] as const;

/** Throws `stream_frame_invalid`. */
export function decodeFrame(message: Uint8Array): StreamFrame {
  const [channel] = message;
  if (channel === channels.close) {
    const closed = message[1];
    if (message.length === 2 && closed !== undefined) return { kind: 'close', channel: closed };
    throw new TaplineError(
      'stream_frame_invalid',
      `a close of ${message.length} bytes is not of 2`,
    );
  }
  const kind = channel === undefined ? undefined : kinds[channel];
  if (kind === undefined) {
    throw new TaplineError(
      'stream_frame_invalid',
      `channel ${channel ?? 'none'} is not 0 to 4 or 255`,
    );
  }
  return { kind, bytes: message.subarray(1) };
}

export function encodeFrame(frame: StreamFrame): Uint8Array {
  if (frame.kind === 'close') return Uint8Array.of(channels.close, frame.channel);
  const message = new Uint8Array(frame.bytes.length + 1);
  message[0] = channels[frame.kind];
  message.set(frame.bytes, 1);
  return message;
}
