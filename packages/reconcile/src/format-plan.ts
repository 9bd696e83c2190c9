import type { Explanation } from './plan.ts';

/** An explanation for people, one line a step and one a thing waited for. */
export function formatPlan({ steps, waiting }: Explanation): string {
  if (steps.length === 0 && waiting.length === 0) return 'converged: nothing to do\n';
  const lines = [
    ...steps.map(({ text }) => `do    ${text}`),
    ...waiting.map(
      ({ what, why, since }) =>
        `wait  ${what}: ${why}${since === undefined ? '' : ` (since ${since})`}`,
    ),
  ];
  return `${lines.join('\n')}\n`;
}
