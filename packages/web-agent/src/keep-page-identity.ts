import { backoffMs, type Clock, errorMessage, type Log, type Rng } from '@tapline/base';
import type { GatewayEndpoints } from './gateway-endpoints.ts';
import type { PageDatabase } from './page-database.ts';
import { answerChallenge, type PageIdentity, storePageIdentity } from './page-identity.ts';
import type { PageKey } from './page-key.ts';

/** The page's certificate, renewed in time. */
export interface PageIdentityKeeper extends AsyncDisposable {
  readonly current: PageIdentity;
}

// As a device's agent does: not all of a fleet at once, and soon after a sleep, when no timer ran.
const renewAfterShare = 2 / 3;
const spreadShare = 0.1;
const maxSleepMs = 30_000;

export function keepPageIdentity(
  identity: PageIdentity,
  init: {
    readonly database: PageDatabase;
    readonly key: PageKey;
    readonly endpoints: GatewayEndpoints;
    readonly onRenewed: () => void;
    readonly clock: Clock;
    readonly rng: Rng;
    readonly log: Log;
  },
): PageIdentityKeeper {
  const { database, key, endpoints, clock, rng, log } = init;
  const stopping = new AbortController();
  const { signal } = stopping;
  // Durations by this machine's clock from here on: how wrong it is does not matter.
  let current = identity;
  let dueAtMs = clock.monotonic() + dueInMs(identity, clock.now());

  /** What is left by a clock that may be wrong; never more than all of the certificate's life. */
  function dueInMs({ issuedAt, notAfter }: PageIdentity, nowMs: number): number {
    const share = (notAfter - issuedAt) * (renewAfterShare + spreadShare * rng());
    return Math.min(share, Math.max(0, issuedAt + share - nowMs));
  }

  async function run(): Promise<void> {
    for (let failures = 0; ;) {
      const waitMs = dueAtMs - clock.monotonic();
      if (waitMs > 0) {
        await clock.sleep(Math.min(waitMs, maxSleepMs), { signal });
        continue;
      }
      try {
        const about = { purpose: 'renew', signal } as const;
        const signed = await answerChallenge(about, { endpoints, identity: current, key });
        current = await storePageIdentity(database, await endpoints.renew(signed, signal));
        dueAtMs = clock.monotonic() + dueInMs(current, current.issuedAt);
        failures = 0;
        log.info('certificate renewed', { notAfter: new Date(current.notAfter).toISOString() });
        init.onRenewed();
      } catch (error) {
        signal.throwIfAborted();
        log.warn('certificate not renewed', { error: errorMessage(error) });
        await clock.sleep(backoffMs(failures, { baseMs: 5000, maxMs: 60_000, rng }), { signal });
        failures += 1;
      }
    }
  }

  const running = run().catch((error: unknown) => {
    if (!signal.aborted) log.error('certificates are not renewed any more', { error });
  });
  return {
    get current() {
      return current;
    },
    async [Symbol.asyncDispose]() {
      stopping.abort(new Error('the agent is stopping'));
      await running;
    },
  };
}
