import type { Refusal } from '@tapline/segments';
import type { FabricCondition } from './fabric.ts';
import type { StandingSegments } from './standing-segments.ts';

/** What is to be said of each segment that the node has ports of. */
export function fabricConditions(
  standing: StandingSegments,
  refused: readonly Refusal[],
): readonly FabricCondition[] {
  if (refused.length === 0) return standing.list();
  const names = new Set(refused.map(({ segment }) => segment));
  return [
    ...standing.list().filter(({ segment }) => segment === undefined || !names.has(segment)),
    ...refused.map(({ segment, vni, code, message }) => ({
      segment,
      vni,
      ready: false,
      reason: code,
      message,
    })),
  ];
}
