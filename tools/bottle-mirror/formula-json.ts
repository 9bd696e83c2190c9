import type { Bottle } from './bottle.ts';
import { listedDependencies } from './bottle-tab.ts';
import type { FormulaFacts } from './formula-facts.ts';
import { type FormulaPlan } from './plan-formulae.ts';
import { repositoryName } from './repository-name.ts';

const rootUrl = 'https://ghcr.io/v2/homebrew/core';

/** A formula in the shape of https://formulae.brew.sh/api/formula/NAME.json. */
export function formulaJson(
  plan: FormulaPlan,
  bottles: readonly Bottle[],
  facts: ReadonlyMap<string, FormulaFacts>,
): Record<string, unknown> {
  const { entry, version } = plan;
  const source = plan.packages[0];
  const own = facts.get(entry.name);
  const perTag = bottles.map((bottle) => ({ bottle, ...sortDependencies(bottle, own, facts) }));
  const [first, ...others] = perTag;
  const common = (first?.dependencies ?? []).filter((name) =>
    others.every(({ dependencies }) => dependencies.includes(name)),
  );
  const everywhere = common.filter((name) => facts.get(name)?.linuxOnly !== true);
  const usesFromMacos = [...new Set(perTag.flatMap((item) => item.usesFromMacos))].toSorted();
  return {
    name: entry.name,
    full_name: entry.name,
    tap: 'homebrew/core',
    oldnames: entry.oldnames ?? [],
    aliases: entry.aliases ?? [],
    versioned_formulae: [],
    desc: own?.desc ?? source?.description ?? null,
    license: own?.license ?? null,
    homepage: own?.homepage ?? source?.homepage ?? null,
    versions: { stable: version, head: null, bottle: bottles.length > 0 },
    urls: {
      stable: {
        url: own?.homepage ?? source?.homepage ?? null,
        tag: null,
        revision: null,
        using: null,
        checksum: source?.sha256 ?? null,
      },
    },
    revision: entry.revision ?? 0,
    version_scheme: 0,
    bottle: {
      ...(bottles.length > 0 && {
        stable: {
          rebuild: entry.rebuild ?? 0,
          root_url: rootUrl,
          files: Object.fromEntries(bottles.map((bottle) => [bottle.tag, bottleFile(bottle)])),
        },
      }),
    },
    pour_bottle_only_if: null,
    keg_only: own?.kegOnly ?? false,
    keg_only_reason: kegOnlyReason(entry.name, own),
    options: [],
    build_dependencies: [],
    dependencies: everywhere,
    test_dependencies: [],
    recommended_dependencies: [],
    optional_dependencies: [],
    uses_from_macos: usesFromMacos,
    uses_from_macos_bounds: usesFromMacos.map(() => ({})),
    requirements: [],
    conflicts_with: [],
    conflicts_with_reasons: [],
    link_overwrite: own?.linkOverwrite === true ? ['bin/*'] : [],
    caveats: null,
    installed: [],
    linked_keg: null,
    pinned: false,
    outdated: false,
    deprecated: false,
    deprecation_date: null,
    deprecation_reason: null,
    disabled: false,
    disable_date: null,
    disable_reason: null,
    post_install_defined: false,
    service: null,
    tap_git_head: null,
    ruby_source_path: `Formula/${entry.name[0] ?? ''}/${entry.name}.rb`,
    ruby_source_checksum: {},
    // The base describes macOS; what Linux adds is a variation of it.
    variations: Object.fromEntries(
      perTag
        .filter(({ dependencies }) => dependencies.length !== everywhere.length)
        .map(({ bottle, dependencies }) => [bottle.platform, { dependencies }]),
    ),
  };
}

function bottleFile(bottle: Bottle): Record<string, string> {
  return {
    cellar: cellarOf(bottle),
    url: `${rootUrl}/${repositoryName(bottle.formula)}/blobs/sha256:${bottle.sha256}`,
    sha256: bottle.sha256,
  };
}

function cellarOf(bottle: Bottle): string {
  if (bottle.formula === 'glibc') return '/home/linuxbrew/.linuxbrew/Cellar';
  // As old versions of brew decided it: from text files alone, ELF notwithstanding.
  return bottle.changedFiles.length === 0 ? ':any_skip_relocation' : ':any';
}

function kegOnlyReason(
  name: string,
  facts: FormulaFacts | undefined,
): Record<string, string> | null {
  if (facts?.kegOnly !== true) return null;
  if (facts.suppliedByMacos) return { reason: ':provided_by_macos', explanation: '' };
  return { reason: `${name} can shadow the system's`, explanation: '' };
}

/** Splits what a bottle links to into `dependencies` and `uses_from_macos`, as the real formula does. */
function sortDependencies(
  bottle: Bottle,
  own: FormulaFacts | undefined,
  facts: ReadonlyMap<string, FormulaFacts>,
): { readonly dependencies: readonly string[]; readonly usesFromMacos: readonly string[] } {
  const all = listedDependencies(bottle.dependencies);
  const fromMacos = all.filter(
    (name) =>
      own?.usesFromMacos.includes(name) === true ||
      (own?.dependencies.includes(name) !== true && facts.get(name)?.suppliedByMacos === true),
  );
  return {
    dependencies: all.filter((name) => !fromMacos.includes(name)),
    usesFromMacos: fromMacos,
  };
}
