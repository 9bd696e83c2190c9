import type { RemediationStatus } from '@tapline/resources';

/** Since when a person is waited for, before all of it or at a step of it; undefined where nobody is. */
export function awaitedSince(status: RemediationStatus): number | undefined {
  const { phase, plan = [], steps = [], acceptedAt = '' } = status;
  if (phase === 'AwaitingApproval') return Date.parse(acceptedAt);
  if (phase !== 'Running') return undefined;
  const at = plan.findIndex((_, index) => steps[index]?.state !== 'Done');
  if (plan[at]?.action !== 'wait-for-approval') return undefined;
  const { state, startedAt } = steps[at] ?? {};
  return state === 'Running' && startedAt !== undefined ? Date.parse(startedAt) : undefined;
}
