import { type Clock, errorMessage, type Log, type Rng } from '@tapline/base';
import { type Informer, WorkQueue } from '@tapline/reconcile';
import type { Remediation } from '@tapline/resources';

/** Tells of each plan that waits for a person, once; a plan that changed is another one. */
export function announceApprovals(init: {
  readonly remediations: Pick<Informer<Remediation>, 'get' | 'list' | 'onChange'>;
  readonly tell: (remediation: Remediation) => Promise<void>;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
}): AsyncDisposable {
  const { remediations, clock, rng, log } = init;
  const told = new Map<string, string>();
  const queue = new WorkQueue({
    clock,
    rng,
    baseBackoffMs: 1000,
    maxBackoffMs: 60_000,
    async run(name) {
      const found = remediations.get(name);
      const awaited = found === undefined ? undefined : awaitedDigest(found);
      if (found === undefined) told.delete(name);
      if (found === undefined || awaited === undefined || told.get(name) === awaited) {
        return { done: true };
      }
      await init.tell(found);
      told.set(name, awaited);
      return { done: true };
    },
    onError: (name, error, retryAfterMs) =>
      log.warn('nobody was told of what waits for them', {
        remediation: name,
        retryAfterMs,
        error: errorMessage(error),
      }),
  });
  const end = remediations.onChange(({ object }) => queue.add(object.metadata.name));
  for (const { metadata } of remediations.list()) queue.add(metadata.name);
  return {
    async [Symbol.asyncDispose]() {
      end();
      await queue[Symbol.asyncDispose]();
    },
  };
}

/** What a person says yes or no to; with the step where it waits in the middle. */
function awaitedDigest({ status = {} }: Remediation): string | undefined {
  const { phase, plan = [], steps = [], digest } = status;
  if (phase === 'AwaitingApproval') return digest;
  const at = plan.findIndex((_, index) => steps[index]?.state !== 'Done');
  const isInside = phase === 'Running' && plan[at]?.action === 'wait-for-approval';
  return isInside && digest !== undefined ? `${digest} ${at}` : undefined;
}
