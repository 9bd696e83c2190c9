import type { CheckOutcome } from '@tapline/monitoring';
import { stateAbove, worstState } from './judge-value.ts';

/** What a look at a channel from one of its edges came to. */
export interface EdgeSight {
  readonly node: string;
  /** Until the first segment was there. */
  readonly firstSegmentSeconds?: number;
  /** How much longer than it may its playlist stood still; absent of a film. */
  readonly behindSeconds?: number;
  readonly failure?: string;
}

interface Limits {
  readonly warning: number;
  readonly critical: number;
}

/** The worst of all edges, as players may be on any of them. */
export function judgeStream(
  sights: readonly EdgeSight[],
  limits: { readonly firstSegment: Limits; readonly behind: Limits },
): CheckOutcome {
  if (sights.length === 0) return { state: 2, output: 'no edge serves it' };
  const failed = sights.filter(({ failure }) => failure !== undefined);
  const firsts = sights.flatMap(({ firstSegmentSeconds: one }) => one ?? []);
  const behinds = sights.flatMap(({ behindSeconds: one }) => one ?? []);
  const first = firsts.length === 0 ? undefined : Math.max(...firsts);
  const behind = behinds.length === 0 ? undefined : Math.max(...behinds);
  const state = worstState([
    failed.length > 0 ? 2 : 0,
    first === undefined ? 0 : stateAbove(first, limits.firstSegment),
    behind === undefined ? 0 : stateAbove(behind, limits.behind),
  ]);
  const says = [
    ...failed.map(({ node, failure }) => `${node}: ${failure}`),
    ...(first === undefined ? [] : [`the first segment came within ${first.toFixed(2)} s`]),
    ...(behind === undefined ? [] : [`the live edge is ${behind.toFixed(1)} s late`]),
  ];
  return {
    state,
    output: `${sights.length - failed.length} of ${sights.length} edges serve it; ${says.join('; ')}`,
    performance: [
      ...(first === undefined
        ? []
        : [{ label: 'first-segment', value: first, unit: 's', ...limits.firstSegment } as const]),
      ...(behind === undefined
        ? []
        : [{ label: 'behind', value: behind, unit: 's', ...limits.behind } as const]),
      { label: 'edges', value: sights.length - failed.length, min: 0 },
    ],
  };
}
