import { join } from 'node:path';

import type { Bottle } from './bottle.ts';
import type { BottleShelf } from './bottle-shelf.ts';
import { type Fault, findFault } from './fault.ts';
import type { FormulaFacts } from './formula-facts.ts';
import { formulaJson } from './formula-json.ts';
import { hostileBottle } from './hostile-bottle.ts';
import { ociRelease, type OciRelease } from './oci-release.ts';
import type { FormulaPlan } from './plan-formulae.ts';
import type { PlatformTag } from './platform.ts';
import { repositoryName } from './repository-name.ts';

export interface MirrorContentOptions {
  readonly shelves: ReadonlyMap<PlatformTag, BottleShelf>;
  readonly facts: ReadonlyMap<string, FormulaFacts>;
  readonly faults: readonly Fault[];
  /** Formulae to serve; their dependencies come along. */
  readonly formulae: readonly string[];
  /** Builds the bottles of a formula's versions that are not current. */
  readonly buildOtherVersions: (formula: string) => Promise<readonly (readonly Bottle[])[]>;
  readonly cache: string;
}

/** What the mirror serves, made on demand and kept. */
export interface MirrorContent {
  readonly formulae: readonly string[];
  /** The API's document of a formula; undefined for names that are not formulae. */
  formula(name: string): Promise<Record<string, unknown> | undefined>;
  /** The formula that owns a registry repository (`openssl/3`). */
  formulaOf(repository: string): string | undefined;
  /** Current version first; the others only when `all`. */
  releases(formula: string, all: boolean): Promise<readonly OciRelease[]>;
}

export function createMirrorContent(options: MirrorContentOptions): MirrorContent {
  const { shelves, facts, faults } = options;
  const formulae = closure(options.formulae, shelves);
  const byRepository = new Map(formulae.map((name) => [repositoryName(name), name]));
  const documents = new Map<string, Promise<Record<string, unknown>>>();
  const current = new Map<string, Promise<OciRelease>>();
  const others = new Map<string, Promise<readonly OciRelease[]>>();

  async function publish(bottle: Bottle): Promise<Bottle> {
    const fault = findFault(faults, 'hostile-entry', bottle.formula);
    if (fault === undefined) return bottle;
    return hostileBottle(bottle, fault.entry, join(options.cache, 'hostile'));
  }

  function currentBottles(formula: string): Promise<readonly Bottle[]> {
    const available = [...shelves].filter(
      ([tag, shelf]) =>
        shelf.plans.has(formula) && findFault(faults, 'no-bottle', formula)?.platform !== tag,
    );
    // One bottle is enough where it is for all platforms.
    const wanted = planOf(formula).entry.all === true ? available.slice(0, 1) : available;
    return Promise.all(wanted.map(async ([, shelf]) => publish(await shelf.bottle(formula))));
  }

  async function release(formula: string, bottles: readonly Bottle[]): Promise<OciRelease> {
    const plan = planOf(formula);
    const fact = facts.get(formula);
    const released = bottles.map(async (bottle) => ({
      bottle,
      runtimeDependencies:
        (await shelves.get(bottle.platform)?.runtimeDependencies(bottle.dependencies)) ?? [],
    }));
    const about = {
      formula,
      description: fact?.desc ?? plan.packages[0]?.description ?? '',
      license: fact?.license ?? '',
      homepage: fact?.homepage ?? plan.packages[0]?.homepage ?? '',
    };
    return ociRelease(about, await Promise.all(released));
  }

  function planOf(formula: string): FormulaPlan {
    const plan = [...shelves.values()].map((shelf) => shelf.plans.get(formula)).find(Boolean);
    if (plan === undefined) throw new RangeError(`no plan for ${formula}`);
    return plan;
  }

  async function document(name: string): Promise<Record<string, unknown>> {
    const json = formulaJson(planOf(name), await currentBottles(name), facts);
    const extra = findFault(faults, 'extra-dependency', name);
    if (extra === undefined) return json;
    const dependencies = [...(json['dependencies'] as readonly string[]), extra.dependency];
    return { ...json, dependencies, variations: {} };
  }

  return {
    formulae,
    async formula(name) {
      if (!formulae.includes(name)) return undefined;
      return remember(documents, name, () => document(name));
    },
    formulaOf: (repository) => byRepository.get(repository),
    async releases(formula, all) {
      const first = await remember(current, formula, async () =>
        release(formula, await currentBottles(formula)),
      );
      if (!all) return [first];
      const rest = await remember(others, formula, async () => {
        const versions = await options.buildOtherVersions(formula);
        return Promise.all(versions.map((bottles) => release(formula, bottles)));
      });
      return [first, ...rest];
    },
  };
}

/** Remembers what worked; a failure is tried again by whoever asks next. */
function remember<T>(
  kept: Map<string, Promise<T>>,
  key: string,
  make: () => Promise<T>,
): Promise<T> {
  const known = kept.get(key);
  if (known !== undefined) return known;
  const making = make();
  kept.set(key, making);
  making.catch(() => kept.delete(key));
  return making;
}

function closure(
  roots: readonly string[],
  shelves: ReadonlyMap<PlatformTag, BottleShelf>,
): readonly string[] {
  const found = new Set<string>();
  const queue = [...roots];
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    if (found.has(name)) continue;
    const plans = [...shelves.values()].flatMap((shelf) => shelf.plans.get(name) ?? []);
    if (plans.length === 0) continue;
    found.add(name);
    queue.push(...plans.flatMap((plan) => plan.candidates));
  }
  return [...found].toSorted();
}
