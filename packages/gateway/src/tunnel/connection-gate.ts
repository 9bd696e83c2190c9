import { type Clock, TaplineError } from '@tapline/base';
import type { KeptTunnel, Session } from '@tapline/tunnel';

/** Holds back what needs a connection while there is none: waiting is quicker than asking again. */
export interface ConnectionGate {
  /** The tunnel has a connection now. */
  open(): void;
  /** The session once it has a connection. Throws `gateway_unreachable` after a moment without one. */
  pass(tunnel: Pick<KeptTunnel, 'session'>): Promise<Session>;
}

/** How long that moment is: a path that changes takes as long. */
const patienceMs = 5000;

export function createConnectionGate(init: {
  readonly clock: Clock;
  readonly host: string;
  readonly signal: AbortSignal;
}): ConnectionGate {
  const { clock, host, signal } = init;
  const waiting = new Set<() => void>();
  return {
    open() {
      for (const ready of waiting) ready();
    },
    async pass(tunnel) {
      if (!tunnel.session.connected) {
        const late = new AbortController();
        const ready = (): void => late.abort('connected');
        waiting.add(ready);
        try {
          await clock.sleep(patienceMs, { signal: AbortSignal.any([late.signal, signal]) });
        } catch {
          signal.throwIfAborted();
        } finally {
          waiting.delete(ready);
        }
      }
      const { session } = tunnel;
      if (session.connected) return session;
      throw new TaplineError('gateway_unreachable', `there is no tunnel to ${host} at this moment`);
    },
  };
}
