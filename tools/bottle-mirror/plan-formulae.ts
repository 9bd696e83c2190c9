import { TaplineError } from '@tapline/base';

import type { AptRoot } from '../debian/apt-root.ts';
import type { DebianPackage } from '../debian/debian-package.ts';
import type { CatalogueEntry } from './catalogue.ts';
import { formulaName } from './formula-name.ts';
import { upstreamVersion } from './upstream-version.ts';

/** What one formula is made of on one platform, known before anything is downloaded. */
export interface FormulaPlan {
  readonly entry: CatalogueEntry;
  readonly version: string;
  readonly suite: AptRoot['suite'];
  readonly packages: readonly DebianPackage[];
  /** Formulae of the libraries its packages depend on: where its sonames can come from. */
  readonly candidates: readonly string[];
}

/** `version` with Homebrew's revision: the name of the folder in the Cellar. */
export function pkgVersion(plan: FormulaPlan): string {
  const revision = plan.entry.revision ?? 0;
  return revision === 0 ? plan.version : `${plan.version}_${revision}`;
}

/** The registry tag: the package version, with Homebrew's rebuild where there is one. */
export function registryTag(plan: FormulaPlan): string {
  const rebuild = plan.entry.rebuild ?? 0;
  return rebuild === 0 ? pkgVersion(plan) : `${pkgVersion(plan)}-${rebuild}`;
}

/**
 * The entries and, under the name of their source package, all libraries they need. The closure
 * follows what packages depend on; which of it a keg really uses its ELF files say later.
 */
export async function planFormulae(
  root: AptRoot,
  entries: readonly CatalogueEntry[],
): Promise<ReadonlyMap<string, FormulaPlan>> {
  const byFormula = new Map(entries.map((entry) => [entry.name, entry]));
  const owner = new Map(
    entries.flatMap((entry) => entry.packages.map((name) => [name, entry.name])),
  );
  const known = new Map<string, DebianPackage>();
  let wanted = [...owner.keys()];
  while (wanted.length > 0) {
    const shown = await root.show(wanted);
    const asked = new Set(wanted);
    for (const item of shown) {
      if (!asked.has(item.name) || known.has(item.name)) continue;
      if (!owner.has(item.name)) {
        if (item.section !== 'libs') continue;
        owner.set(item.name, formulaName(item.source));
      }
      known.set(item.name, item);
    }
    const next = shown.filter((item) => known.get(item.name) === item);
    wanted = [...new Set(next.flatMap((item) => requirements(item)))].filter(
      (name) => !known.has(name) && !asked.has(name),
    );
  }
  for (const entry of entries) {
    for (const name of entry.packages.filter((item) => !known.has(item))) {
      throw new TaplineError(
        'package_unknown',
        `Debian ${root.suite} (${root.architecture}) has no package ${name} for formula ${entry.name}`,
      );
    }
  }
  const plans = new Map<string, FormulaPlan>();
  for (const formula of [...new Set(owner.values())].toSorted()) {
    const packages = [...known.values()]
      .filter((item) => owner.get(item.name) === formula)
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
    const first = packages[0];
    if (first === undefined) continue;
    const entry = byFormula.get(formula) ?? { name: formula, packages: [] };
    const main = packages.find((item) => item.name === entry.packages[0]) ?? first;
    const needed = packages
      .flatMap((item) => requirements(item))
      .filter((name) => known.get(name)?.section === 'libs')
      .map((name) => owner.get(name) ?? formula)
      .filter((name) => name !== formula);
    const linkless = entry.dependencies ?? [];
    plans.set(formula, {
      entry,
      version: upstreamVersion(main.version),
      suite: root.suite,
      packages,
      candidates: [...new Set([...needed, ...linkless])].toSorted(),
    });
  }
  return plans;
}

function requirements(item: DebianPackage): readonly string[] {
  // libc6 wants libgcc-s1 and libcrypt1 beside it for others' sake; its own files do not.
  if (item.source === 'glibc') return [];
  return item.depends.flatMap((alternatives) => alternatives.slice(0, 1));
}
