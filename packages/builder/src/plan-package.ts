import { isTaplineError } from '@tapline/base';
import {
  type BottleTag,
  type Formula,
  formulaNotFound,
  parsePackageRequest,
  pkgVersion,
  resolveClosure,
} from '@tapline/brew';
import { FormulaSet } from './formula-set.ts';
import type { HomebrewApi } from './homebrew-api.ts';
import { mapConcurrently } from './map-concurrently.ts';
import type { PackagePlan } from './package-plan.ts';
import { planMember } from './plan-member.ts';
import { planVersion } from './plan-version.ts';

export interface PlanPackageOptions {
  /** `FORMULA` or `FORMULA@VERSION`. */
  readonly formula: string;
  readonly tag: BottleTag;
  /** Whether a file turned out to need one of gcc's libraries. */
  readonly withGcc?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/**
 * What to pour for a package on one platform. Throws `formula_not_found`, `version_not_found`,
 * `bottle_missing`, `cyclic_dependency`, `homebrew_unreachable`.
 */
export async function planPackage(
  api: HomebrewApi,
  options: PlanPackageOptions,
): Promise<PackagePlan> {
  const { tag, signal } = options;
  const { name, versioned } = parsePackageRequest(options.formula);
  const implicit = options.withGcc === true ? ['glibc', 'gcc'] : ['glibc'];
  const set = new FormulaSet(api, tag);
  await set.load([...implicit, name], { signal });
  try {
    if (versioned === undefined || set.lookup(name) !== undefined) {
      return await planCurrent(api, { name, set, implicit, tag, signal });
    }
    await set.load([versioned.name], { signal });
    const formula = set.lookup(versioned.name);
    if (formula === undefined) throw formulaNotFound(versioned.name, {});
    if (isCurrent(formula, versioned.version)) {
      return await planCurrent(api, { name: formula.name, set, implicit, tag, signal });
    }
    return await planVersion(api, { ...versioned, formula, set, implicit, tag, signal });
  } catch (error) {
    if (!isTaplineError(error, 'formula_not_found')) throw error;
    // The list of all names is large, so it is asked for only to suggest from.
    const names = await api.names({ signal });
    const { formula: missing, path } = error.details;
    throw formulaNotFound(String(missing), {
      path: Array.isArray(path) ? path.map(String) : [],
      names,
    });
  }
}

function isCurrent(formula: Formula, version: string): boolean {
  const { stableVersion } = formula;
  return stableVersion !== undefined && [stableVersion, pkgVersion(formula)].includes(version);
}

async function planCurrent(
  api: HomebrewApi,
  options: {
    readonly name: string;
    readonly set: FormulaSet;
    readonly implicit: readonly string[];
    readonly tag: BottleTag;
    readonly signal: AbortSignal | undefined;
  },
): Promise<PackagePlan> {
  const { name, set, implicit, tag, signal } = options;
  const closure = resolveClosure(name, { lookup: set.lookup, tag, implicit });
  const bottles = await mapConcurrently(closure, { limit: 8, signal }, (member, inner) =>
    planMember(api, member, { tag, signal: inner }),
  );
  const rootName = set.lookup(name)?.name;
  const root = bottles.find((bottle) => bottle.formula.name === rootName);
  if (root === undefined) throw formulaNotFound(name, {});
  return { tag, root, bottles };
}
