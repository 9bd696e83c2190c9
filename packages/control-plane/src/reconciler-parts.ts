import type { Clock, Log, Rng } from '@tapline/base';
import type { ResourceClient } from '@tapline/client';
import type { ReconcileMetrics } from '@tapline/reconcile';

/** What each reconciler is made with, whatever it reconciles. */
export interface ReconcilerParts {
  readonly client: ResourceClient;
  readonly metrics: ReconcileMetrics;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
}
