import type { CheckOutcome } from '@tapline/monitoring';
import type { Channel } from '@tapline/resources';
import { stateBelow } from './judge-value.ts';

/** Fewer requests say nothing about a share of them. */
const leastRequests = 20;

/** The share of what players asked lately that caches answered; limits are shares, too. */
export function judgeHitRatio(
  { metadata, spec, status }: Channel,
  limits: { readonly warning?: number | undefined; readonly critical?: number | undefined },
): CheckOutcome {
  const { hitRatio, trafficHitRatio } = spec.objectives;
  const objective = trafficHitRatio ?? hitRatio;
  const warning = limits.warning ?? objective;
  const critical = limits.critical ?? warning * 0.8;
  const { requests = 0, ratio = 0, seconds = 0 } = status?.recent ?? {};
  const counted = { label: 'requests', value: requests, min: 0 } as const;
  if (requests < leastRequests) {
    const output = `${requests} requests of channel ${metadata.name} in ${seconds} s are too few to tell`;
    return { state: 0, output, performance: [counted] };
  }
  return {
    state: stateBelow(ratio, { warning, critical }),
    output: `caches answered ${percent(ratio)} of ${requests} requests of channel ${metadata.name} in ${seconds} s; ${percent(warning)} are asked for`,
    performance: [
      {
        label: 'hit-ratio',
        value: Math.round(ratio * 10_000) / 100,
        unit: '%',
        warning: warning * 100,
        critical: critical * 100,
        min: 0,
      },
      counted,
    ],
  };
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
