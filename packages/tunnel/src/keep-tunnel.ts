import {
  backoffMs,
  type Clock,
  errorMessage,
  isTaplineError,
  type Log,
  type Rng,
} from '@tapline/base';
import type { BufferPool } from './buffer-pool.ts';
import type { TunnelLimits } from './limits.ts';
import { Session } from './session.ts';
import type { Transport, TransportEvents } from './transport.ts';

/**
 * Opens a connection and lets `begin` have it. Resolves when it has ended, rejects where there is
 * none to be had. The signal ends either.
 */
export type Dial = (
  begin: (transport: Transport) => TransportEvents,
  signal: AbortSignal,
) => Promise<void>;

export interface KeepTunnelInit {
  readonly dial: Dial;
  /** Called with each new session, before it has a connection. */
  readonly onSession: (session: Session) => void;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
  readonly limits: TunnelLimits;
  readonly pool: BufferPool;
  /** First pause between attempts; they grow to `maxBackoffMs`, with jitter. */
  readonly baseBackoffMs?: number;
  readonly maxBackoffMs?: number;
}

/** A client's tunnel: dials again whenever the connection is lost, until disposed. */
export interface KeptTunnel extends AsyncDisposable {
  readonly session: Session;
  /** Gives the connection up for a new one; the session goes on. */
  reconnect(): void;
}

export function keepTunnel(init: KeepTunnelInit): KeptTunnel {
  const { clock, rng, log, limits, pool } = init;
  const { baseBackoffMs: baseMs = 500, maxBackoffMs: maxMs = 30_000 } = init;
  const stopping = new AbortController();
  let dialling = new AbortController();
  let session = begin();
  const running = run();

  function begin(): Session {
    const next = new Session({ role: 'client', clock, limits, pool });
    init.onSession(next);
    return next;
  }

  async function run(): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      if (session.closed.aborted) session = begin();
      const current = session;
      const before = current.stats().connections;
      let askedMs = 0;
      try {
        dialling = new AbortController();
        await init.dial((transport) => current.connect(transport), dialling.signal);
      } catch (error) {
        if (stopping.signal.aborted) return;
        log.info('no tunnel', { error: errorMessage(error) });
        askedMs = retryAfterMs(error);
      }
      if (stopping.signal.aborted) return;
      // What it came back to is gone: a new session need not wait.
      if (current.closed.aborted && isForgotten(current.closed.reason)) continue;
      // A connection that worked and broke is tried again soon: a whole fleet may have lost it.
      if (current.stats().connections > before) attempt = -1;
      try {
        const pauseMs = backoffMs(Math.max(attempt, 0), { baseMs, maxMs, rng });
        await clock.sleep(askedMs > 0 ? askedMs : pauseMs, { signal: stopping.signal });
      } catch {
        return;
      }
    }
  }

  return {
    get session() {
      return session;
    },
    reconnect: () => dialling.abort(new Error('a new connection is wanted')),
    async [Symbol.asyncDispose]() {
      const { connected } = session;
      session.close();
      stopping.abort(new Error('the tunnel is closed'));
      // A connection ends by itself, once it has said so.
      if (!connected) dialling.abort(stopping.signal.reason);
      await running;
    },
  };
}

/** The gateway was started anew, or did not keep the session for so long. */
function isForgotten(reason: unknown): boolean {
  return (
    isTaplineError(reason, 'tunnel_session_unknown') ||
    isTaplineError(reason, 'tunnel_position_lost')
  );
}

const mostAskedMs = 300_000;

/** A gateway that has more to do than it can says when to come again. */
function retryAfterMs(error: unknown): number {
  const asked = isTaplineError(error) ? error.details['retryAfterMs'] : undefined;
  return typeof asked === 'number' ? Math.min(asked, mostAskedMs) : 0;
}
