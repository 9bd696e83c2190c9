import type { CheckOutcome } from '@tapline/monitoring';
import type { Verdict } from '@tapline/segments';

const states = { open: 2, unproven: 3, degraded: 1, verified: 0 } as const;
const words = {
  open: 'a port reaches one that it must not',
  unproven: 'it could not be proven that no port reaches one that it must not',
  degraded: 'it is closed, and not all of it works',
  verified: 'no port reaches one that it must not',
} as const;

/** What the verifier found, with the nodes that could not be asked. */
export function judgeSegment(
  name: string,
  { result, findings, nodes, ports }: Verdict,
  silent: readonly { readonly node: string; readonly why: string }[],
): CheckOutcome {
  const unasked = silent.map(({ node, why }) => `${node} was not asked: ${why}`);
  return {
    state: states[result],
    output: [`segment ${name}: ${words[result]}`, ...unasked.slice(0, 5)].join('; '),
    performance: [
      { label: 'leaks', value: count('leak'), critical: 0, min: 0 },
      { label: 'unproven', value: count('unproven'), min: 0 },
      { label: 'degraded', value: count('degraded'), warning: 0, min: 0 },
      { label: 'nodes', value: nodes, min: 0 },
      { label: 'ports', value: ports, min: 0 },
    ],
  };

  function count(kind: string): number {
    return findings.filter((finding) => finding.kind === kind).length;
  }
}
