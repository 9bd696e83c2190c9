import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { TaplineError } from '@tapline/base';

import type { AptRoot } from '../debian/apt-root.ts';
import type { Bottle } from './bottle.ts';
import { packBottle } from './bottle-archive.ts';
import { bottleTab, listedDependencies, type RuntimeDependency } from './bottle-tab.ts';
import { buildKeg } from './build-keg.ts';
import { createLimiter } from './limiter.ts';
import { type FormulaPlan, pkgVersion, registryTag } from './plan-formulae.ts';
import type { Platform } from './platform.ts';

/** Raised whenever the same packages would give another bottle. */
const recipe = 3;

export interface BottleShelfOptions {
  readonly platform: Platform;
  readonly root: AptRoot;
  readonly plans: ReadonlyMap<string, FormulaPlan>;
  readonly cache: string;
  readonly glibcVersion: string;
}

/** The bottles of one platform: built on first use, then kept in the cache. */
export interface BottleShelf {
  readonly plans: ReadonlyMap<string, FormulaPlan>;
  /** The current version's bottle. */
  bottle(formula: string): Promise<Bottle>;
  /** A bottle of another version, linked against this shelf's current formulae. */
  build(plan: FormulaPlan, root: AptRoot, glibcVersion: string): Promise<Bottle>;
  /** Direct and indirect dependencies of a bottle, without the implicit ones. */
  runtimeDependencies(dependencies: readonly string[]): Promise<readonly RuntimeDependency[]>;
}

// The machines this runs on are small; a third build only slows the other two.
const buildWidth = 2;

export function createBottleShelf(options: BottleShelfOptions): BottleShelf {
  const { platform, plans, cache } = options;
  const limit = createLimiter(buildWidth);
  const bottles = new Map<string, Promise<Bottle>>();

  function planOf(formula: string): FormulaPlan {
    const plan = plans.get(formula);
    if (plan === undefined) {
      throw new TaplineError('formula_unknown', `no formula ${formula} on ${platform.tag}`);
    }
    return plan;
  }

  function bottle(formula: string): Promise<Bottle> {
    const known = bottles.get(formula);
    if (known !== undefined) return known;
    const building = build(planOf(formula), options.root, options.glibcVersion);
    bottles.set(formula, building);
    // A failed build (no network, say) is tried again when it is asked for again.
    building.catch(() => bottles.delete(formula));
    return building;
  }

  function cacheKey(plan: FormulaPlan, trail: readonly string[] = []): string {
    const { name } = plan.entry;
    if (trail.includes(name)) {
      throw new TaplineError('dependency_cycle', `cycle: ${[...trail, name].join(' → ')}`);
    }
    const candidates = plan.candidates.map((item) => cacheKey(planOf(item), [...trail, name]));
    const packages = plan.packages.map(({ sha256 }) => sha256);
    const text = JSON.stringify([recipe, platform.tag, plan.entry, packages, candidates]);
    return createHash('sha256').update(text).digest('hex').slice(0, 16);
  }

  async function build(plan: FormulaPlan, root: AptRoot, glibcVersion: string): Promise<Bottle> {
    const fileName = `${plan.entry.name}-${registryTag(plan)}.${platform.tag}.${cacheKey(plan)}`;
    const base = join(cache, fileName);
    if (existsSync(`${base}.json`) && existsSync(`${base}.tar.gz`)) {
      const built = JSON.parse(await readFile(`${base}.json`, 'utf8')) as Bottle;
      return { ...built, path: `${base}.tar.gz` };
    }
    const candidates = await Promise.all(plan.candidates.map((name) => bottle(name)));
    return limit(async () => {
      await mkdir(cache, { recursive: true });
      const folder = await mkdtemp(join(cache, '.building-'));
      try {
        const debs = await root.download(plan.packages);
        const keg = await buildKeg({ plan, platform, debs, candidates, folder });
        const subject = { ...keg, platform: platform.tag, suite: plan.suite };
        if (plan.entry.receipt === true) {
          const tab = bottleTab(subject, await runtimeDependencies(keg.dependencies));
          const receipt = join(keg.path, 'INSTALL_RECEIPT.json');
          await writeFile(receipt, JSON.stringify(tab), { mode: 0o644 });
        }
        const member = `${plan.entry.name}/${pkgVersion(plan)}`;
        const archive = await packBottle(folder, member, keg.modifiedTime);
        const result: Bottle = {
          ...keg,
          formula: plan.entry.name,
          pkgVersion: pkgVersion(plan),
          registryTag: registryTag(plan),
          platform: platform.tag,
          tag: plan.entry.all === true ? 'all' : platform.tag,
          suite: plan.suite,
          path: `${base}.tar.gz`,
          sha256: archive.sha256,
          sizeBytes: archive.sizeBytes,
          tarSha256: archive.tarSha256,
          glibcVersion,
        };
        await writeFile(join(folder, 'bottle.json'), JSON.stringify(result));
        // The description last: where it is, the archive is.
        await rename(archive.path, `${base}.tar.gz`);
        await rename(join(folder, 'bottle.json'), `${base}.json`);
        return result;
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });
  }

  async function runtimeDependencies(
    dependencies: readonly string[],
  ): Promise<readonly RuntimeDependency[]> {
    const direct = listedDependencies(dependencies);
    const found = new Map<string, FormulaPlan>();
    const queue = [...direct];
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
      if (found.has(name)) continue;
      found.set(name, planOf(name));
      queue.push(...listedDependencies((await bottle(name)).dependencies));
    }
    return [...found.values()].map((plan) => ({
      full_name: plan.entry.name,
      version: plan.version,
      revision: plan.entry.revision ?? 0,
      bottle_rebuild: plan.entry.rebuild ?? 0,
      pkg_version: pkgVersion(plan),
      declared_directly: direct.includes(plan.entry.name),
    }));
  }

  return { plans, bottle, build, runtimeDependencies };
}
