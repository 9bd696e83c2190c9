import type { PlaybookSpec, RemediationStatus } from '@tapline/resources';

/** What comes next in a run, as data. */
export type Move =
  | { readonly kind: 'begin-step'; readonly at: number }
  | { readonly kind: 'carry-out'; readonly at: number }
  | { readonly kind: 'look'; readonly at: number }
  | { readonly kind: 'take-back'; readonly at: number }
  | { readonly kind: 'verify' }
  | { readonly kind: 'end'; readonly phase: 'Succeeded' | 'Failed' };

/**
 * The next move of a run, from nothing but what is on disk: who was killed in the middle, or who took
 * over, goes on where it stands. A step that was begun is carried out again, as its values are absolute.
 */
export function nextMove(
  status: RemediationStatus,
  playbook: Pick<PlaybookSpec, 'onFailure' | 'verify'>,
): Move {
  const { plan = [], steps = [], error } = status;
  if (error !== undefined) {
    if (playbook.onFailure === 'Keep') return { kind: 'end', phase: 'Failed' };
    const at = steps.findLastIndex(
      ({ state }, index) => mayHaveActed.has(state) && plan[index]?.undo !== undefined,
    );
    return at === -1 ? { kind: 'end', phase: 'Failed' } : { kind: 'take-back', at };
  }
  const at = plan.findIndex((_, index) => steps[index]?.state !== 'Done');
  if (at !== -1) {
    const state = steps[at]?.state ?? 'Pending';
    if (state === 'Running') return { kind: 'carry-out', at };
    return state === 'Checking' ? { kind: 'look', at } : { kind: 'begin-step', at };
  }
  return playbook.verify.accept === 'Done'
    ? { kind: 'end', phase: 'Succeeded' }
    : { kind: 'verify' };
}

const mayHaveActed = new Set(['Running', 'Checking', 'Done', 'Failed']);
