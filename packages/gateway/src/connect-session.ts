import {
  backoffMs,
  type Clock,
  errorMessage,
  isTaplineError,
  type Log,
  type Rng,
  TaplineError,
} from '@tapline/base';
import { WebSocket } from 'ws';
import { errorOfAnswer } from './error-body.ts';
import type { ClientTls } from './post-json.ts';
import { messageBytes } from './message-bytes.ts';
import {
  type DeviceMessage,
  type DeviceReport,
  maxMessageBytes,
  parseServerMessage,
  type ServerMessage,
  sessionProtocol,
  type StreamRequest,
} from './session-messages.ts';
import { maxFrameBytes, streamProtocol } from './stream-frame.ts';
import { createStreamSocket, type StreamSocket } from './stream-socket.ts';

/** Serves a stream until it ends; the signal aborts when the session's owner is disposed. */
export type StreamServer = (stream: StreamSocket, signal: AbortSignal) => Promise<void>;

/** A device's end of its session: connects, and connects again, until disposed. */
export interface Session extends AsyncDisposable {
  /** Epoch of the open session. */
  readonly epoch: number | undefined;
  /** Sends `report()` anew. Where there is no session the next hello carries it. */
  refresh(): void;
}

export interface SessionInit {
  readonly server: URL;
  /** Asked for at each connection: a certificate may have been renewed. */
  readonly tls: () => ClientTls;
  readonly report: () => DeviceReport;
  /** Accepts a stream, or throws a TaplineError that becomes the refusal. */
  readonly acceptStream: (request: StreamRequest) => StreamServer;
  readonly onConnected?: (session: {
    readonly epoch: number;
    readonly clockSkewMs: number;
  }) => void;
  readonly onDisconnected?: () => void;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
  /** First pause between attempts; they grow to `maxBackoffMs`, with jitter. */
  readonly baseBackoffMs?: number;
  readonly maxBackoffMs?: number;
}

const helloTimeoutMs = 20_000;

export function connectSession(init: SessionInit): Session {
  const { clock, rng, log, baseBackoffMs: baseMs = 500, maxBackoffMs: maxMs = 30_000 } = init;
  const stopping = new AbortController();
  const streams = new Set<Promise<void>>();
  let open: { readonly socket: WebSocket; readonly epoch: number } | undefined;
  const running = run();

  async function run(): Promise<void> {
    for (let attempt = 0; !stopping.signal.aborted; attempt += 1) {
      try {
        await converse(() => {
          attempt = -1;
        });
      } catch (error) {
        if (stopping.signal.aborted) return;
        log.info('session ended', { error: errorMessage(error) });
      }
      await pause(backoffMs(Math.max(attempt, 0), { baseMs, maxMs, rng }));
    }
  }

  /** One session, from dialling to its end. Always ends by throwing. */
  async function converse(onWelcome: () => void): Promise<never> {
    const socket = dial('/gateway/v1/session', sessionProtocol, maxMessageBytes);
    const ended = Promise.withResolvers<never>();
    const watchdog = new AbortController();
    let heardMs = clock.monotonic();
    let deadAfterMs = helloTimeoutMs;
    const onStop = (): void => ended.reject(stopping.signal.reason);
    stopping.signal.addEventListener('abort', onStop, { once: true });
    onFailure(socket, ended.reject);
    socket.on('open', () =>
      say(socket, { kind: 'hello', now: clock.now(), report: init.report() }),
    );
    socket.on('message', (data) => {
      heardMs = clock.monotonic();
      try {
        const message = parseServerMessage(new TextDecoder().decode(messageBytes(data)));
        if (message?.kind === 'welcome') {
          deadAfterMs = message.pingIntervalMs * 2.5;
          open = { socket, epoch: message.epoch };
          onWelcome();
          init.onConnected?.({
            epoch: message.epoch,
            clockSkewMs: clock.now() - message.serverTime,
          });
        } else if (message !== undefined) take(socket, message);
      } catch (error) {
        ended.reject(error);
      }
    });
    void watch();

    /** The peer or the path may die without a word. */
    async function watch(): Promise<void> {
      while (!watchdog.signal.aborted) {
        await pause(deadAfterMs / 5, watchdog.signal);
        if (clock.monotonic() - heardMs > deadAfterMs) {
          ended.reject(
            new TaplineError('session_timeout', `nothing was heard for ${deadAfterMs} ms`),
          );
        }
      }
    }

    try {
      return await ended.promise;
    } finally {
      watchdog.abort();
      stopping.signal.removeEventListener('abort', onStop);
      if (open?.socket === socket) {
        open = undefined;
        init.onDisconnected?.();
      }
      socket.terminate();
    }
  }

  function take(socket: WebSocket, message: Exclude<ServerMessage, { kind: 'welcome' }>): void {
    switch (message.kind) {
      case 'ping':
        say(socket, { kind: 'pong', sequence: message.sequence });
        return;
      case 'open-stream': {
        const stream = serve(socket, message.streamId, message.request).finally(() =>
          streams.delete(stream),
        );
        streams.add(stream);
      }
    }
  }

  async function serve(socket: WebSocket, streamId: string, request: StreamRequest): Promise<void> {
    let server: StreamServer;
    try {
      server = init.acceptStream(request);
    } catch (error) {
      const code = isTaplineError(error) ? error.code : 'internal_error';
      const message = errorMessage(error).slice(0, 1024);
      say(socket, { kind: 'refuse-stream', streamId, code, message });
      return;
    }
    const dialled = dial(`/gateway/v1/streams/${streamId}`, streamProtocol, maxFrameBytes);
    const onStop = (): void => dialled.terminate();
    stopping.signal.addEventListener('abort', onStop, { once: true });
    try {
      const stream = createStreamSocket(dialled);
      await opened(dialled);
      await server(stream, AbortSignal.any([stopping.signal, stream.closed]));
      stream.close();
    } catch (error) {
      if (!stopping.signal.aborted) log.info('stream ended', { kind: request.kind, error });
      dialled.terminate();
    } finally {
      stopping.signal.removeEventListener('abort', onStop);
    }
  }

  function dial(path: string, protocol: string, maxPayload: number): WebSocket {
    const url = new URL(path, init.server);
    url.protocol = 'wss:';
    return new WebSocket(url, protocol, {
      ...init.tls(),
      maxPayload,
      perMessageDeflate: false,
      handshakeTimeout: helloTimeoutMs,
    });
  }

  async function pause(ms: number, signal: AbortSignal = stopping.signal): Promise<void> {
    try {
      await clock.sleep(ms, { signal: AbortSignal.any([signal, stopping.signal]) });
    } catch (error) {
      if (!signal.aborted && !stopping.signal.aborted) throw error;
    }
  }

  return {
    get epoch() {
      return open?.epoch;
    },
    refresh() {
      if (open !== undefined) say(open.socket, { kind: 'report', report: init.report() });
    },
    async [Symbol.asyncDispose]() {
      stopping.abort(new TaplineError('session_closed', 'the agent is stopping'));
      await running;
      await Promise.all(streams);
    },
  };
}

function say(socket: WebSocket, message: DeviceMessage): void {
  if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(message));
}

/** Every way in which a socket ends, as an error. */
function onFailure(socket: WebSocket, fail: (error: unknown) => void): void {
  socket.on('unexpected-response', (_request, response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('end', () =>
      fail(errorOfAnswer(response.statusCode ?? 0, Buffer.concat(chunks).toString())),
    );
  });
  socket.on('error', (cause) =>
    fail(new TaplineError('gateway_unreachable', 'the gateway does not answer', { cause })),
  );
  socket.on('close', (code, reason) =>
    fail(new TaplineError('session_closed', `the session was closed: ${code} ${String(reason)}`)),
  );
}

function opened(socket: WebSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('open', resolve);
    onFailure(socket, reject);
  });
}
