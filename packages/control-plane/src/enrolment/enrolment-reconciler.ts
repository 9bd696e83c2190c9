import { isDeepStrictEqual } from 'node:util';
import type { ProfileGrant } from '@tapline/profiles';
import { createReconciler, type Outcome, type Reconciler, watch } from '@tapline/reconcile';
import { enrolmentResource } from '@tapline/resources';
import { isLostRace } from '../is-lost-race.ts';
import type { ReconcilerParts } from '../reconciler-parts.ts';
import type { Informers } from '../informers.ts';
import { planEnrolment } from './plan-enrolment.ts';

// A timer takes at most 2^31-1 ms.
const longestWaitMs = 86_400_000;

/** Gives each Enrolment its link, and takes it away when its time is over. */
export function createEnrolmentReconciler(
  init: ReconcilerParts & {
    readonly informers: Pick<Informers, 'enrolments'>;
    readonly profileUrl: (grant: ProfileGrant, name: string) => string | undefined;
  },
): Reconciler {
  const { client, clock, informers } = init;

  async function reconcile(
    key: string,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<Outcome> {
    const enrolment = informers.enrolments.get(key);
    if (enrolment === undefined || enrolment.metadata.deletionTimestamp !== undefined) {
      return { done: true };
    }
    let known = true;
    const { status, againAtMs } = planEnrolment(enrolment, {
      nowMs: clock.now(),
      urlOf(grant) {
        const url = init.profileUrl(grant, key);
        known = url !== undefined;
        return url ?? '';
      },
    });
    // The port is known as soon as it is listened at.
    if (!known) return { requeueAfterMs: 50 };
    if (!isDeepStrictEqual(status, enrolment.status)) {
      try {
        informers.enrolments.observe(
          await client.updateStatus(enrolmentResource, { ...enrolment, status }, { signal }),
        );
      } catch (error) {
        // A download was counted meanwhile; its event brings the object here again.
        if (!isLostRace(error)) throw error;
      }
    }
    if (againAtMs === undefined) return { done: true };
    const leftMs = Math.max(1, againAtMs - clock.now());
    return { requeueAfterMs: Math.min(leftMs, longestWaitMs) };
  }

  return createReconciler({
    name: 'enrolment',
    clock,
    rng: init.rng,
    log: init.log,
    metrics: init.metrics,
    watches: [
      watch(informers.enrolments, ({ object }, enqueue) => {
        enqueue(object.metadata.name);
      }),
    ],
    reconcile,
  });
}
