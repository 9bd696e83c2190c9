import { backoffMs, type Clock, errorMessage, type Log, type Rng } from '@tapline/base';
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
}

export function keepTunnel(init: KeepTunnelInit): KeptTunnel {
  const { clock, rng, log, limits, pool } = init;
  const { baseBackoffMs: baseMs = 500, maxBackoffMs: maxMs = 30_000 } = init;
  const stopping = new AbortController();
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
      try {
        await init.dial((transport) => current.connect(transport), stopping.signal);
      } catch (error) {
        if (stopping.signal.aborted) return;
        log.info('no tunnel', { error: errorMessage(error) });
      }
      if (stopping.signal.aborted) return;
      // A connection that worked and broke is tried again soon: a whole fleet may have lost it.
      if (current.stats().connections > before) attempt = -1;
      try {
        await clock.sleep(backoffMs(Math.max(attempt, 0), { baseMs, maxMs, rng }), {
          signal: stopping.signal,
        });
      } catch {
        return;
      }
    }
  }

  return {
    get session() {
      return session;
    },
    async [Symbol.asyncDispose]() {
      session.close();
      stopping.abort(new Error('the tunnel is closed'));
      await running;
    },
  };
}
