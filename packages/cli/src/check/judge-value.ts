import type { CheckOutcome } from '@tapline/monitoring';

type State = CheckOutcome['state'];

/** The state of a value of which more is worse. */
export function stateAbove(
  value: number,
  limits: { readonly warning: number; readonly critical: number },
): State {
  if (value > limits.critical) return 2;
  return value > limits.warning ? 1 : 0;
}

/** The state of a value of which less is worse. */
export function stateBelow(
  value: number,
  limits: { readonly warning: number; readonly critical: number },
): State {
  if (value < limits.critical) return 2;
  return value < limits.warning ? 1 : 0;
}

const severity: readonly State[] = [0, 3, 1, 2];

/** What counts of several: critical before warning before unknown. */
export function worstState(states: readonly State[]): State {
  return states.reduce<State>(
    (worst, one) => (severity.indexOf(one) > severity.indexOf(worst) ? one : worst),
    0,
  );
}
