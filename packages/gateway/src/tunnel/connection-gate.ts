import { type Clock, TaplineError } from '@tapline/base';

/** Holds back what needs a connection while there is none: waiting is quicker than asking again. */
export interface ConnectionGate<T> {
  /** There is what was waited for. */
  open(): void;
  /** What is there, once it is. Throws `gateway_unreachable` after a moment without it. */
  pass(): Promise<T>;
}

/** How long that moment is: a path that changes takes as long. */
const patienceMs = 5000;

export function createConnectionGate<T>(init: {
  readonly ready: () => T | undefined;
  readonly clock: Clock;
  readonly host: string;
  readonly signal: AbortSignal;
}): ConnectionGate<T> {
  const { ready, clock, host, signal } = init;
  const waiting = new Set<() => void>();
  return {
    open() {
      for (const go of waiting) go();
    },
    async pass() {
      const now = ready();
      if (now !== undefined) return now;
      const late = new AbortController();
      const go = (): void => late.abort('ready');
      waiting.add(go);
      try {
        await clock.sleep(patienceMs, { signal: AbortSignal.any([late.signal, signal]) });
      } catch {
        signal.throwIfAborted();
      } finally {
        waiting.delete(go);
      }
      const then = ready();
      if (then !== undefined) return then;
      throw new TaplineError('gateway_unreachable', `there is no tunnel to ${host} at this moment`);
    },
  };
}
