import type { NodeState } from '../state/node-state.ts';
import type { Operation } from './operation.ts';

/** Comes before what it guards, and goes after it. */
export function planGuards(
  desired: NodeState,
  observed: NodeState,
): { readonly removals: readonly Operation[]; readonly additions: readonly Operation[] } {
  const wanted = desired.guards ?? [];
  const found = new Map((observed.guards ?? []).map((guard) => [placeOf(guard), guard]));
  const hooks = new Set(observed.hooks);
  const additions = wanted.flatMap((guard): readonly Operation[] => {
    const { dev, preference, rule, program } = guard;
    const other = found.get(placeOf(guard));
    found.delete(placeOf(guard));
    if (rule === undefined || JSON.stringify(other?.program) === JSON.stringify(program)) return [];
    const place = { dev, preference, hooked: hooks.has(dev) || other !== undefined };
    return [{ kind: 'underlay-guard-set', guard: place, rule }];
  });
  const removals = [...found.values()].map(({ dev, preference }): Operation => ({
    kind: 'underlay-guard-delete',
    guard: { dev, preference, hooked: true },
  }));
  return { additions, removals };
}

function placeOf({
  dev,
  preference,
}: {
  readonly dev: string;
  readonly preference: number;
}): string {
  return `${dev} ${preference}`;
}
