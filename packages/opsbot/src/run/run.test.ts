import type { RemediationStatus } from '@tapline/resources';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planRun } from '../plan/plan-run.ts';
import { storePlan } from '../plan/stored-plan.ts';
import { fleet, playbook } from '../testing/samples.ts';
import { approvalState } from './approval.ts';
import { nextMove } from './next-move.ts';
import { withStep } from './with-step.ts';

const spec = playbook('p', { verify: { accept: 'Done' } }).spec;
const plan = storePlan(
  planRun(
    playbook('p', { steps: [{ action: 'drain-node' }, { action: 'notify', message: 'm' }] }),
    { kind: 'Node', name: 'n1' },
    fleet(),
  ),
);

test('a run that goes well begins, carries out and looks at each step once', () => {
  let status: RemediationStatus = { plan };
  const moves: string[] = [];
  for (;;) {
    const move = nextMove(status, spec);
    moves.push('at' in move ? `${move.kind} ${move.at}` : move.kind);
    if (move.kind === 'end') break;
    if (move.kind === 'begin-step') status = withStep(status, move.at, { state: 'Running' });
    if (move.kind === 'carry-out') status = withStep(status, move.at, { state: 'Checking' });
    if (move.kind === 'look') status = withStep(status, move.at, { state: 'Done' });
  }
  const each = (at: number) => [`begin-step ${at}`, `carry-out ${at}`, `look ${at}`];
  expect(moves).toEqual([...each(0), ...each(1), 'end']);
});

test('what failed is taken back from the last step on, unless it is to be kept', () => {
  const failed: RemediationStatus = {
    plan,
    steps: [{ state: 'Done' }, { state: 'Failed' }],
    error: { code: 'x', message: 'y' },
  };
  expect(nextMove(failed, spec)).toEqual({ kind: 'take-back', at: 0 });
  expect(nextMove(withStep(failed, 0, { state: 'Undone' }), spec)).toEqual({
    kind: 'end',
    phase: 'Failed',
  });
  expect(nextMove(failed, { ...spec, onFailure: 'Keep' })).toEqual({
    kind: 'end',
    phase: 'Failed',
  });
});

test('from any state on disk a run comes to its end', () => {
  let ends = 0;
  const state = fc.constantFrom(
    'Pending',
    'Running',
    'Checking',
    'Done',
    'Failed',
    'Undone',
    'NotUndone',
  );
  fc.assert(
    fc.property(fc.array(state, { maxLength: 2 }), fc.boolean(), (states, hasFailed) => {
      let status: RemediationStatus = {
        plan,
        steps: states.map((one) => ({ state: one })),
        ...(hasFailed && { error: { code: 'x', message: 'y' } }),
      };
      const next = {
        'begin-step': 'Running',
        'carry-out': 'Checking',
        look: 'Done',
        'take-back': 'Undone',
      } as const;
      for (let count = 0; count < 12; count += 1) {
        const move = nextMove(status, spec);
        if (move.kind === 'end') {
          ends += 1;
          return;
        }
        if (move.kind !== 'verify') status = withStep(status, move.at, { state: next[move.kind] });
      }
    }),
    { seed: 4, numRuns: 200 },
  );
  expect(ends).toBe(200);
});

describe('an approval', () => {
  const at = '2026-01-01T00:00:10Z';
  const about = {
    digest: 'd',
    requestedBy: 'tool',
    sinceMs: Date.parse('2026-01-01T00:00:00Z'),
    approvalSeconds: 60,
    nowMs: Date.parse('2026-01-01T00:00:20Z'),
  };
  const given = (change: object = {}) => ({
    approvals: [{ user: 'dana', decision: 'Approved', digest: 'd', at, ...change }] as NonNullable<
      RemediationStatus['approvals']
    >,
  });

  test('counts for just what was shown', () => {
    expect(approvalState(given(), about).kind).toBe('approved');
    expect(approvalState(given({ digest: 'other' }), about)).toMatchObject({
      kind: 'none',
      why: 'what was approved is not what would be done now',
    });
  });

  test('does not count from who asked, from before, or for ever', () => {
    expect(approvalState(given({ user: 'tool' }), about).kind).toBe('none');
    expect(approvalState(given({ at: '2025-12-31T23:59:59Z' }), about).kind).toBe('none');
    expect(approvalState(given(), { ...about, nowMs: about.nowMs + 60_000 }).kind).toBe('none');
  });

  test('is outweighed by a rejection', () => {
    const both = {
      approvals: [...given().approvals, ...given({ decision: 'Rejected' }).approvals],
    };
    expect(approvalState(both, about).kind).toBe('rejected');
  });
});
