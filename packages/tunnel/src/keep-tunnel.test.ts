import { ManualClock, type Rng, seededRng, silentLog, TaplineError } from '@tapline/base';
import { afterEach, expect, test } from 'vitest';
import { BufferPool } from './buffer-pool.ts';
import { keepTunnel, type KeptTunnel } from './keep-tunnel.ts';
import { defaultLimits } from './limits.ts';

const kept = new Set<KeptTunnel>();
afterEach(async () => {
  for (const tunnel of kept) await tunnel[Symbol.asyncDispose]();
  kept.clear();
});

/** When a client dials whose gateway always answers so, for as long as that. */
async function dials(init: {
  readonly refusal: TaplineError;
  readonly rng: Rng;
  readonly forMs: number;
}): Promise<readonly number[]> {
  const clock = new ManualClock();
  const times: number[] = [];
  kept.add(
    keepTunnel({
      dial() {
        times.push(clock.monotonic());
        return Promise.reject(init.refusal);
      },
      onSession: () => undefined,
      clock,
      rng: init.rng,
      log: silentLog,
      limits: defaultLimits,
      pool: new BufferPool(),
      baseBackoffMs: 1000,
      maxBackoffMs: 8000,
    }),
  );
  // The first pause begins when the first refusal is heard.
  await clock.advance(0);
  await clock.advance(init.forMs);
  return times;
}

function pauses(times: readonly number[]): readonly number[] {
  return times.slice(1).map((at, index) => at - (times[index] ?? 0));
}

const unreachable = new TaplineError('gateway_unreachable', 'nobody answers');

test('pauses double to the most, each between half of it and all of it', async () => {
  const times = await dials({ refusal: unreachable, rng: seededRng(1), forMs: 60_000 });
  const most = [1000, 2000, 4000, 8000, 8000, 8000];
  for (const [index, pause] of pauses(times).slice(0, most.length).entries()) {
    expect(pause).toBeGreaterThanOrEqual((most[index] ?? 0) / 2);
    expect(pause).toBeLessThanOrEqual(most[index] ?? 0);
  }
});

test('a fleet that lost its gateway at once does not come back at once', async () => {
  const fleet = await Promise.all(
    Array.from({ length: 200 }, (_, seed) =>
      dials({ refusal: unreachable, rng: seededRng(seed), forMs: 2000 }),
    ),
  );
  const second = fleet.map(([, at = 0]) => Math.floor(at / 50));
  const busiest = Math.max(
    ...second.map((slot) => second.filter((other) => other === slot).length),
  );
  // Ten slots of 50 ms between half a second and a whole one: 20 each, were they even.
  expect(busiest).toBeLessThan(45);
});

test('who is told when to come comes then, and not as late as anybody says', async () => {
  const busy = (retryAfterMs: number): TaplineError =>
    new TaplineError('gateway_busy', 'too many', { details: { retryAfterMs } });
  const told = await dials({ refusal: busy(7000), rng: seededRng(1), forMs: 21_500 });
  expect(pauses(told)).toEqual([7000, 7000, 7000]);
  const never = await dials({ refusal: busy(86_400_000), rng: seededRng(1), forMs: 301_000 });
  expect(pauses(never)).toEqual([300_000]);
});
