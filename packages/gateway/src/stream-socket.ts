import { AsyncQueue, TaplineError } from '@tapline/base';
import type { RawData, WebSocket } from 'ws';
import { messageBytes } from './message-bytes.ts';

/** A WebSocket of binary messages with backpressure both ways. One consumer reads `messages`. */
export interface StreamSocket {
  /** Ends when the socket closes. The peer is held back while what it sent is not consumed. */
  readonly messages: AsyncIterable<Uint8Array>;
  /** Resolves once there is room for more. Throws `stream_closed`. */
  send(message: Uint8Array): Promise<void>;
  close(code?: number, reason?: string): void;
  /** Aborted when the socket has closed. */
  readonly closed: AbortSignal;
}

// More in flight would only grow the memory of both ends: a stream is interactive or a log.
const highWaterBytes = 1_048_576;
const lowWaterBytes = 262_144;
const closeReasonBytes = 120;

export function createStreamSocket(socket: WebSocket): StreamSocket {
  const queue = new AsyncQueue<Uint8Array>();
  const closing = new AbortController();
  let queuedBytes = 0;

  socket.on('message', (data: RawData) => {
    const message = messageBytes(data);
    queuedBytes += message.length;
    queue.push(message);
    if (queuedBytes > highWaterBytes) socket.pause();
  });
  // What follows an error is always a close, which is what ends the stream.
  socket.on('error', () => socket.terminate());
  socket.on('close', () => {
    queue.close();
    closing.abort(new TaplineError('stream_closed', 'the stream is closed'));
  });

  async function* messages(): AsyncGenerator<Uint8Array, void> {
    for await (const message of queue) {
      yield message;
      queuedBytes -= message.length;
      if (socket.isPaused && queuedBytes < lowWaterBytes) socket.resume();
    }
  }

  return {
    messages: messages(),
    closed: closing.signal,
    send(message) {
      return new Promise((resolve, reject) => {
        if (socket.readyState !== socket.OPEN) {
          return reject(new TaplineError('stream_closed', 'the stream is closed'));
        }
        const roomy = socket.bufferedAmount + message.length < highWaterBytes;
        socket.send(message, { binary: true }, (error) => {
          if (error === undefined || error === null) return resolve();
          reject(new TaplineError('stream_closed', 'the stream is closed', { cause: error }));
        });
        if (roomy) resolve();
      });
    },
    close(code = 1000, reason = '') {
      // A paused socket would never see the peer's half of the closing handshake.
      socket.resume();
      socket.close(code, reason.slice(0, closeReasonBytes));
    },
  };
}
