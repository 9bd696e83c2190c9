import type { OpsVerdict } from '@tapline/resources';
import { blastRadius } from './blast-radius.ts';
import { fresh, quorum, settled, steady, still } from './evidence.ts';
import type { Guard, GuardContext } from './guard.ts';
import { healthy } from './healthy.ts';
import { breaker, budget, concurrency, cooldown, rate, targetLease } from './limits.ts';
import { maintenance } from './maintenance.ts';
import { paused } from './paused.ts';
import { presence } from './presence.ts';
import { symptom } from './symptom.ts';

/** Every guard rail, in the order in which people want to be told which one it was. */
const rails: Readonly<Record<string, Guard>> = {
  paused,
  maintenance,
  fresh,
  presence,
  quorum,
  flapping: steady,
  'blast-radius': blastRadius,
  symptom,
  settled,
  still,
  'healthy-replicas': healthy,
  'target-lease': targetLease,
  cooldown,
  breaker,
  concurrency,
  rate,
  budget,
};

/** Those that ask what is seen: a person who asks for something has seen it. */
const aboutEvidence = new Set([
  'fresh',
  'presence',
  'quorum',
  'flapping',
  'settled',
  'still',
  'symptom',
  'blast-radius',
]);

export interface Judgement {
  readonly verdicts: readonly OpsVerdict[];
  /** The first that holds it back. */
  readonly heldBy: OpsVerdict | undefined;
  /** When to judge again, where time alone may change it. */
  readonly retryMs: number | undefined;
}

/** Asks every guard rail: all of them, so that the record says why it was allowed. */
export function judge(
  context: GuardContext,
  options: { readonly requested?: boolean } = {},
): Judgement {
  const asked = Object.entries(rails).filter(
    ([name]) => options.requested !== true || !aboutEvidence.has(name),
  );
  const said = asked.map(([guard, ask]) => ({ guard, ...ask(context) }));
  const held = said.filter(({ allowed }) => !allowed);
  const retries = held.flatMap(({ retryMs }) => retryMs ?? []);
  return {
    verdicts: said.map(({ guard, allowed, says }) => ({
      guard,
      allowed,
      says: says.slice(0, 1024),
    })),
    heldBy: held[0] && { guard: held[0].guard, allowed: false, says: held[0].says },
    retryMs: retries.length === 0 ? undefined : Math.max(...retries),
  };
}
