import { TaplineError } from '@tapline/base';
import { type BottleTag, describeBottleTag } from './bottle-tag.ts';
import type { BottleFile, Formula } from './formula.ts';
import { formulaNotFound, neededBy } from './formula-not-found.ts';

export interface ResolveClosureOptions {
  /** The formula of a name, an alias or an old name. */
  readonly lookup: (name: string) => Formula | undefined;
  readonly tag: BottleTag;
  /**
   * What every package needs without saying so. An image starts from nothing, so that is glibc,
   * and gcc where a file needs one of its libraries.
   */
  readonly implicit?: readonly string[];
  /** Names to suggest from where one is not found. */
  readonly names?: Iterable<string>;
}

export interface ClosureMember {
  readonly formula: Formula;
  readonly bottle: BottleFile;
}

/**
 * The formula `root` and everything it needs at run time, each after what it depends on; implicit
 * members and their dependencies come first. The order depends on nothing but the formulae.
 *
 * Throws `formula_not_found`, `bottle_missing`, `bottle_not_pourable`, or `cyclic_dependency` naming the path.
 */
export function resolveClosure(
  root: string,
  options: ResolveClosureOptions,
): readonly ClosureMember[] {
  const members = new Map<string, ClosureMember>();
  for (const name of [...(options.implicit ?? ['glibc']), root]) visit(name, [], members, options);
  return [...members.values()];
}

function visit(
  name: string,
  path: readonly string[],
  members: Map<string, ClosureMember>,
  options: ResolveClosureOptions,
): void {
  if (members.has(name)) return;
  const formula = options.lookup(name);
  if (formula === undefined) throw formulaNotFound(name, { path, ...options });
  if (members.has(formula.name)) return;
  const start = path.indexOf(formula.name);
  const extended = [...path, formula.name];
  if (start >= 0) {
    const cycle = extended.slice(start);
    throw new TaplineError(
      'cyclic_dependency',
      `formulae depend on themselves: ${cycle.join(' → ')}`,
      {
        details: { cycle },
      },
    );
  }
  const bottle = formula.bottles.get(options.tag) ?? formula.bottles.get('all');
  if (bottle === undefined) throw noBottle(formula, path, options.tag);
  if (bottle.unusable !== undefined) throw notPourable(formula, bottle.unusable, path);
  for (const dependency of formula.dependencies) visit(dependency, extended, members, options);
  members.set(formula.name, { formula, bottle });
}

function notPourable(formula: Formula, why: string, path: readonly string[]): TaplineError {
  return new TaplineError(
    'bottle_not_pourable',
    `the bottle of formula ${formula.name}${neededBy(path)} ${why}`,
    { details: { formula: formula.name, path } },
  );
}

function noBottle(formula: Formula, path: readonly string[], tag: BottleTag): TaplineError {
  const platforms = [...formula.bottles.keys()].map(describeBottleTag);
  const has = platforms.length === 0 ? 'no bottles at all' : `bottles for ${platforms.join(', ')}`;
  return new TaplineError(
    'bottle_missing',
    `formula ${formula.name} has no bottle for ${describeBottleTag(tag)}${neededBy(path)}; it has ${has}`,
    { details: { formula: formula.name, platform: describeBottleTag(tag), platforms, path } },
  );
}
