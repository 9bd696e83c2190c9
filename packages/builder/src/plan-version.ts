import { TaplineError } from '@tapline/base';
import {
  type BottleTag,
  bottleVersionTag,
  describeBottleTag,
  type Formula,
  pkgVersion,
  resolveClosure,
} from '@tapline/brew';
import type { FormulaSet } from './formula-set.ts';
import type { HomebrewApi, RegistryBottle } from './homebrew-api.ts';
import { mapConcurrently } from './map-concurrently.ts';
import type { PackagePlan, PlannedBottle } from './package-plan.ts';
import { planMember } from './plan-member.ts';

export interface PlanVersionOptions {
  readonly formula: Formula;
  readonly version: string;
  readonly set: FormulaSet;
  readonly implicit: readonly string[];
  readonly tag: BottleTag;
  readonly signal: AbortSignal | undefined;
}

/**
 * A version that need not be the current one: its bottle by tag, and the dependencies that its tab
 * recorded, at the versions it was built against. What the registry no longer has of those, and what
 * is implicit, is taken current. Throws `version_not_found`, `bottle_missing`.
 */
export async function planVersion(
  api: HomebrewApi,
  options: PlanVersionOptions,
): Promise<PackagePlan> {
  const { tag, set, signal, implicit } = options;
  const root = await findVersion(api, options);
  const recorded = root.tab?.runtimeDependencies ?? [];
  await set.load(
    recorded.map((dependency) => dependency.name),
    { signal },
  );
  const pinned = await mapConcurrently(recorded, { limit: 8, signal }, async (item, inner) => {
    const formula = set.lookup(item.name);
    const versionTag = bottleVersionTag(item.pkgVersion, item.rebuild);
    const bottles = await api.bottles(item.name, versionTag, { signal: inner });
    const bottle = bottles?.get(tag) ?? bottles?.get('all');
    return formula === undefined || bottle === undefined ? undefined : atVersion(formula, bottle);
  });
  const known = new Map(pinned.flatMap((item) => (item ? [[item.formula.name, item]] : [])));
  const chosen = new Map<string, PlannedBottle>();
  for (const name of [...implicit, ...recorded.map((item) => item.name)]) {
    const version = known.get(set.lookup(name)?.name ?? name);
    if (version !== undefined && !implicit.includes(name)) {
      chosen.set(version.formula.name, version);
      continue;
    }
    for (const member of resolveClosure(name, { lookup: set.lookup, tag, implicit: [] })) {
      const { name: needed } = member.formula;
      if (chosen.has(needed)) continue;
      chosen.set(needed, known.get(needed) ?? (await planMember(api, member, { tag, signal })));
    }
  }
  chosen.set(root.formula.name, root);
  return { tag, root, bottles: [...chosen.values()] };
}

async function findVersion(
  api: HomebrewApi,
  { formula, version, tag, signal }: PlanVersionOptions,
): Promise<PlannedBottle> {
  const tags = await api.versionTags(formula.name, { signal });
  const bottles = await api.bottles(formula.name, newestTag(tags, version) ?? version, { signal });
  if (bottles === undefined) throw versionNotFound(formula, version, tags);
  const bottle = bottles.get(tag) ?? bottles.get('all');
  if (bottle !== undefined) return atVersion(formula, bottle);
  const platforms = [...bottles.keys()].map(describeBottleTag);
  throw new TaplineError(
    'bottle_missing',
    `formula ${formula.name} ${version} has no bottle for ${describeBottleTag(tag)}; it has bottles for ${platforms.join(', ')}`,
    { details: { formula: formula.name, version, platform: describeBottleTag(tag), platforms } },
  );
}

/** The newest rebuild of the version, or of its newest revision where none is named. */
function newestTag(tags: readonly string[], version: string): string | undefined {
  const matching = tags
    .map((tag) => ({ tag, parts: /^(.*?)(?:_(\d+))?(?:-(\d+))?$/.exec(tag) }))
    .filter(({ tag, parts }) => {
      const [, stable = '', revision] = parts ?? [];
      const named = revision === undefined ? stable : `${stable}_${revision}`;
      return version === tag || version === named || version === stable;
    })
    .toSorted((a, b) => numberAt(b, 2) - numberAt(a, 2) || numberAt(b, 3) - numberAt(a, 3));
  return matching[0]?.tag;
}

function versionNotFound(formula: Formula, version: string, tags: readonly string[]): TaplineError {
  // Not every registry lists its tags; the current version is known in any case.
  const current = formula.stableVersion === undefined ? [] : [pkgVersion(formula)];
  const versions = tags.length === 0 ? current : tags.slice(-10);
  return new TaplineError(
    'version_not_found',
    `formula ${formula.name} has no version ${version}; there is ${versions.join(', ') || 'none'}`,
    {
      hint: 'name one of these, or leave the version out for the current one',
      details: { formula: formula.name, version, versions },
    },
  );
}

function numberAt(match: { readonly parts: RegExpExecArray | null }, group: number): number {
  return Number(match.parts?.[group] ?? 0);
}

function atVersion(formula: Formula, bottle: RegistryBottle): PlannedBottle {
  return { formula, ...bottle };
}
