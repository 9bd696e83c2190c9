import { isSegmentInterface } from '../names/interface-names.ts';
import type { EgressFilter, NodeState } from '../state/node-state.ts';
import type { Operation } from './operation.ts';
import type { LinkPlan } from './plan-links.ts';

/** Each port's filter, and no other that could decide before it. */
export function planEgress(
  desired: NodeState,
  observed: NodeState,
  { gone }: Pick<LinkPlan, 'gone'>,
): { readonly removals: readonly Operation[]; readonly additions: readonly Operation[] } {
  const ours = ({ dev }: { readonly dev: string }): boolean =>
    isSegmentInterface(dev) && !gone.has(dev);
  const wanted = new Map(desired.egress.map((filter) => [filter.dev, filter]));
  const found = observed.egress.filter(ours);
  const extra = found.filter(({ dev, preference }) => wanted.get(dev)?.preference !== preference);
  return {
    removals: [
      ...extra.map(({ dev, preference }) => ({ dev, preference, direction: 'egress' as const })),
      ...observed.foreignFilters.filter(ours),
    ].map(({ dev, direction, preference }): Operation => ({
      kind: 'filter-delete',
      dev,
      direction,
      preference,
    })),
    additions: desired.egress
      .filter((filter) => {
        const others = found.filter(
          ({ dev, preference }) => dev === filter.dev && preference === filter.preference,
        );
        const [other] = others;
        return others.length !== 1 || other === undefined || !sameProgram(filter, other);
      })
      .map((filter): Operation => ({ kind: 'egress-set', filter })),
  };
}

function sameProgram(a: EgressFilter, b: EgressFilter): boolean {
  return JSON.stringify(a.program) === JSON.stringify(b.program);
}
