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
    listener: (event: {
      readonly data?: unknown;
      readonly code?: number;
      readonly reason?: string;
    }) => void,
  ): void;
}

/** The subprotocol of a WebSocket that carries a tunnel: for browsers, and proxies that know no other. */
export const tunnelSubprotocol = 'v1.tunnel.tapline.dev';

/** A browser says nothing when its buffer has become smaller. */
const pollMs = 4;
const lowBytes = 65_536;

/** Close codes of WebSockets from here on are statuses of HTTP, with the refusal's code as the reason. */
const firstRefusalCode = 4000;

/**
 * Dials by a platform's own WebSocket, which `open` makes, with `tunnelSubprotocol`. What it receives
 * cannot be held back there: credits bound it. Throws `gateway_unreachable`, or what the gateway
 * refuses it with, such as `device_revoked`.
 */
export function dialWebSocket(init: {
  readonly open: (signal: AbortSignal) => WebSocketLike | Promise<WebSocketLike>;
  readonly clock: Clock;
}): Dial {
  const { open, clock } = init;
  return async (begin, signal) => {
    signal.throwIfAborted();
    const socket = await open(signal);
    socket.binaryType = 'arraybuffer';
    const opened = Promise.withResolvers<undefined>();
    const closed = Promise.withResolvers<TaplineError | undefined>();
    const onAbort = (): void => socket.close();
    signal.addEventListener('abort', onAbort, { once: true });
    socket.addEventListener('open', () => opened.resolve(undefined));
    // What follows an error is always a close, which is what ends it.
    socket.addEventListener('error', () => undefined);
    socket.addEventListener('close', ({ code = 0, reason = '' }) => {
      opened.reject(new TaplineError('gateway_unreachable', 'the WebSocket did not open'));
      closed.resolve(code >= firstRefusalCode ? refusal(code, reason) : undefined);
    });
    // It may have been aborted while it was being made.
    if (signal.aborted) socket.close();
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
      const refused = await closed.promise;
      state.isOpen = false;
      events.closed(refused);
      if (refused !== undefined) throw refused;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  };
}

/** The reason is a code, and where the gateway says when to come again, the milliseconds until then. */
function refusal(code: number, reason: string): TaplineError {
  const [, known = 'gateway_error', after] =
    /^([a-z][a-z0-9_]{0,63})(?: (\d{1,9}))?$/.exec(reason) ?? [];
  return new TaplineError(
    known,
    `the gateway refuses the tunnel: ${code - firstRefusalCode} ${known}`,
    after === undefined ? {} : { details: { retryAfterMs: Number(after) } },
  );
}
