import type { Clock } from './clock.ts';

// The only place where Tapline reads a real clock; every platform it runs on has these three.
declare const performance: { readonly timeOrigin: number; now(): number };
declare function setTimeout(callback: () => void, ms: number): unknown;
declare function clearTimeout(timer: unknown): void;

const maxTimerMs = 2 ** 31 - 1;
/** It never changes; reading it takes as long as reading the clock. */
const { timeOrigin } = performance;

/** The platform's clock. */
export const systemClock: Clock = {
  now: () => timeOrigin + performance.now(),
  monotonic: () => performance.now(),
  sleep(ms, { signal } = {}) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = (): void => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(
        () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
        Math.min(Math.max(ms, 0), maxTimerMs),
      );
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  },
};
