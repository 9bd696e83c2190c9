import { AsyncQueue, concatBytes, TaplineError } from '@tapline/base';
import type { TunnelStream } from '@tapline/tunnel';
import { maxFrameBytes } from '../stream-frame.ts';
import type { StreamSocket } from '../stream-socket.ts';

const prefixBytes = 4;
/** Messages that wait for their reader; what is beyond waits at the sender. */
const highWaterBytes = 262_144;

/** Messages in a stream of a tunnel: each is its length u32, big-endian, and its bytes. */
export function createMessageStream(
  stream: TunnelStream,
  { maxBytes = maxFrameBytes }: { readonly maxBytes?: number } = {},
): StreamSocket {
  const queue = new AsyncQueue<Uint8Array>();
  const closing = new AbortController();
  let queuedBytes = 0;
  let room: PromiseWithResolvers<void> | undefined;
  let isClosed = false;
  void receive();

  async function receive(): Promise<void> {
    try {
      const assembler = createAssembler(maxBytes);
      for await (const part of stream) {
        for (const message of assembler(part)) {
          if (isClosed) continue;
          queuedBytes += message.length;
          queue.push(message);
        }
        if (queuedBytes > highWaterBytes && !isClosed) {
          room = Promise.withResolvers();
          await room.promise;
        }
      }
    } catch (error) {
      if (!stream.closed.aborted) stream.reset(messageInvalid, String(error));
    } finally {
      stream.end();
      queue.close();
      closing.abort(closed());
    }
  }

  async function* messages(): AsyncGenerator<Uint8Array, void> {
    for await (const message of queue) {
      yield message;
      queuedBytes -= message.length;
      if (queuedBytes <= highWaterBytes) room?.resolve();
    }
  }

  return {
    messages: messages(),
    closed: closing.signal,
    async send(message) {
      if (isClosed || closing.signal.aborted || stream.closed.aborted) throw closed();
      const bytes = new Uint8Array(prefixBytes + message.length);
      new DataView(bytes.buffer).setUint32(0, message.length);
      bytes.set(message, prefixBytes);
      try {
        if (!stream.write(bytes)) await stream.writable();
      } catch (cause) {
        throw closed({ cause });
      }
    },
    close() {
      if (isClosed) return;
      isClosed = true;
      stream.end();
      room?.resolve();
    },
  };
}

/** From 4096 on codes are ours. */
const messageInvalid = 0x1000;

function closed(options: { readonly cause?: unknown } = {}): TaplineError {
  return new TaplineError('stream_closed', 'the stream is closed', options);
}

/** Puts messages together of parts however they were split. */
function createAssembler(maxBytes: number): (part: Uint8Array) => Generator<Uint8Array, void> {
  let head: Uint8Array = new Uint8Array();
  let body: Uint8Array | undefined;
  let filled = 0;

  return function* take(part) {
    let rest = part;
    while (rest.length > 0 || body?.length === filled) {
      if (body === undefined) {
        const missing = prefixBytes - head.length;
        head = concatBytes([head, rest.subarray(0, missing)]);
        rest = rest.subarray(missing);
        if (head.length < prefixBytes) return;
        const length = new DataView(head.buffer, head.byteOffset, prefixBytes).getUint32(0);
        head = new Uint8Array();
        if (length > maxBytes) {
          throw new TaplineError(
            'stream_frame_invalid',
            `a message of ${length} bytes exceeds ${maxBytes}`,
          );
        }
        body = new Uint8Array(length);
        filled = 0;
      }
      const share = rest.subarray(0, body.length - filled);
      body.set(share, filled);
      filled += share.length;
      rest = rest.subarray(share.length);
      if (filled < body.length) return;
      const whole = body;
      body = undefined;
      yield whole;
    }
  };
}
