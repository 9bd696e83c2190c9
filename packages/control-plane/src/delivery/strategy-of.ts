import type { DeliverySpec, DeliveryStrategy } from '@tapline/resources';

/** A delivery's strategy; where none is given, all at once and the first failure stops it. */
export function strategyOf(spec: DeliverySpec): DeliveryStrategy {
  return (
    spec.strategy ?? {
      waves: ['100%'],
      quorum: '100%',
      errorBudget: 0,
      progressDeadlineSeconds: 600,
    }
  );
}
