import type { RemediationStatus } from '@tapline/resources';

type DoneStep = NonNullable<RemediationStatus['steps']>[number];

/** The status with one step otherwise; steps before it that are not there yet are pending. */
export function withStep(
  status: RemediationStatus,
  at: number,
  change: Partial<DoneStep>,
): RemediationStatus {
  const all = (status.plan ?? []).map(
    (_, index): DoneStep => status.steps?.[index] ?? { state: 'Pending' },
  );
  return {
    ...status,
    steps: all.map((step, index) => (index === at ? { ...step, ...change } : step)),
  };
}
