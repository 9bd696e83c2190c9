import { TaplineError } from '@tapline/base';

/** Lets so many in a second, and tells the others when to come again, one after the other. */
export interface Admission {
  /** Throws `gateway_busy` with `retryAfterMs` in its details. */
  admit(nowMs: number): void;
}

/** A handshake costs a core about a millisecond, and everything else goes on meanwhile. */
const admittedPerSecond = 400;

/**
 * A fleet that lost its gateway comes back at once. Each device costs a handshake and a write, so those
 * beyond the rate get a time of their own instead of trying again by chance.
 */
export function createAdmission({
  perSecond = admittedPerSecond,
  burst = perSecond,
}: {
  readonly perSecond?: number;
  readonly burst?: number;
} = {}): Admission {
  const stepMs = 1000 / perSecond;
  /** When all that were let in would have come, had they come in step. */
  let admittedMs = 0;
  let nextSlotMs = 0;
  return {
    admit(nowMs) {
      admittedMs = Math.max(admittedMs, nowMs);
      if (admittedMs - nowMs < burst * stepMs) {
        admittedMs += stepMs;
        return;
      }
      nextSlotMs = Math.max(nextSlotMs, admittedMs) + stepMs;
      const retryAfterMs = Math.ceil(nextSlotMs - nowMs);
      throw new TaplineError(
        'gateway_busy',
        `more than ${perSecond} devices a second are coming back`,
        { hint: `try again in ${retryAfterMs} ms`, details: { retryAfterMs } },
      );
    },
  };
}
