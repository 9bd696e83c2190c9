import { expect, it } from 'vitest';
import { formatPlan } from './format-plan.ts';
import { explainPlan } from './plan.ts';

it('prints steps, what is waited for, and that nothing is left', () => {
  const plan = {
    steps: [{ kind: 'paint', colour: 'red' }],
    waiting: [
      { what: 'the wall', why: 'it is wet', since: '2026-01-01T00:00:00Z' },
      { what: 'the brush', why: 'it is lost' },
    ],
  };
  expect(formatPlan(explainPlan(plan, ({ colour }) => `paint it ${colour}`))).toBe(
    'do    paint it red\n' +
      'wait  the wall: it is wet (since 2026-01-01T00:00:00Z)\n' +
      'wait  the brush: it is lost\n',
  );
  expect(formatPlan({ steps: [], waiting: [] })).toBe('converged: nothing to do\n');
});
