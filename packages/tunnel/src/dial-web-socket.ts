import { type Clock, TaplineError } from '@tapline/base';
import type { Dial } from './keep-tunnel.ts';

/** The part of a browser's WebSocket that a tunnel needs. */
export interface WebSocketLike {
  binaryType: string;
  readonly bufferedAmount: number;
  send(bytes: Uint8Array<ArrayBuffer>): void;
  close(): void;
  addEventListener(
    type: 'open' | 'close' | 'error' | 'message',
    listener: (event: { readonly data?: unknown }) => void,
  ): void;
}

/** The subprotocol of a WebSocket that carries a tunnel: for browsers, and proxies that know no other. */
export const tunnelSubprotocol = 'v1.tunnel.tapline.dev';

/** A browser says nothing when its buffer has become smaller. */
const pollMs = 4;
const lowBytes = 65_536;

/**
 * Dials by a platform's own WebSocket, which `open` makes, with `tunnelSubprotocol`. What it receives
 * cannot be held back there: credits bound it.
 */
export function dialWebSocket(init: {
  readonly open: () => WebSocketLike;
  readonly clock: Clock;
}): Dial {
  const { open, clock } = init;
  return async (begin, signal) => {
    signal.throwIfAborted();
    const socket = open();
    socket.binaryType = 'arraybuffer';
    const opened = Promise.withResolvers<undefined>();
    const closed = Promise.withResolvers<undefined>();
    const onAbort = (): void => socket.close();
    signal.addEventListener('abort', onAbort, { once: true });
    socket.addEventListener('open', () => opened.resolve(undefined));
    // What follows an error is always a close, which is what ends it.
    socket.addEventListener('error', () => undefined);
    socket.addEventListener('close', () => {
      opened.reject(new TaplineError('gateway_unreachable', 'the WebSocket did not open'));
      closed.resolve(undefined);
    });
    try {
      await opened.promise;
      const state = { polling: false, isOpen: true };
      const events = begin({
        write(bytes) {
          if (!state.isOpen) return;
          // Never shared memory: sessions make their buffers themselves.
          socket.send(bytes as Uint8Array<ArrayBuffer>);
          if (socket.bufferedAmount > lowBytes && !state.polling) void poll();
        },
        get bufferedBytes() {
          return socket.bufferedAmount;
        },
        close: () => socket.close(),
      });
      async function poll(): Promise<void> {
        state.polling = true;
        while (state.isOpen && socket.bufferedAmount > lowBytes) await clock.sleep(pollMs);
        state.polling = false;
        if (state.isOpen) events.drained();
      }
      socket.addEventListener('message', ({ data }) => {
        if (data instanceof ArrayBuffer) events.receive(new Uint8Array(data));
      });
      await closed.promise;
      state.isOpen = false;
      events.closed();
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  };
}
