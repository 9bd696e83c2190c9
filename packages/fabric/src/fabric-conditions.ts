import type { CompiledNode, Refusal } from '@tapline/segments';
import type { FabricCondition } from './fabric.ts';

/** What is to be said of each segment that the node has ports of. */
export function fabricConditions(
  { segments, refused }: Pick<CompiledNode, 'segments' | 'refused'>,
  failed: readonly Refusal[],
): readonly FabricCondition[] {
  const not = [...refused, ...failed];
  const names = new Set(not.map(({ segment }) => segment));
  return [
    ...[...segments.values()]
      .filter(({ intent }) => !names.has(intent.name))
      .map(({ intent }) => ({
        segment: intent.name,
        vni: intent.vni,
        ready: true,
        reason: 'Applied',
        message: `VNI ${intent.vni} stands`,
      })),
    ...not.map(({ segment, vni, code, message }) => ({
      segment,
      vni,
      ready: false,
      reason: code,
      message,
    })),
  ];
}
