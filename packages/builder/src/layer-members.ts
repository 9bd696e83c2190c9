import type { LayerMember } from '@tapline/brew';
import type { PackagePlan } from './package-plan.ts';

/** The formulae of a plan, with their dependencies by the names that they have in it. */
export function layerMembers({ bottles }: Pick<PackagePlan, 'bottles'>): readonly LayerMember[] {
  const names = new Map<string, string>();
  for (const { formula } of bottles) {
    for (const name of [...formula.oldNames, ...formula.aliases, formula.name]) {
      names.set(name, formula.name);
    }
  }
  return bottles.map(({ formula }) => ({
    name: formula.name,
    dependencies: formula.dependencies.flatMap((name) => names.get(name) ?? []),
  }));
}
