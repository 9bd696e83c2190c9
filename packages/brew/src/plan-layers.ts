/** Docker takes 125 layers, containerd 127; one is for links, and some are left for who builds on. */
export const maxImageLayers = 120;

/** A formula of a closure, with its dependencies as names within the closure. */
export interface LayerMember {
  readonly name: string;
  readonly dependencies: readonly string[];
}

/**
 * Which formulae share a layer, so that an image has at most `maxLayers` with the one of its links:
 * each its own where they fit. Where they do not, a dependency and all that it needs become one
 * layer: that is the same set, and so the same bytes, in every image that has the dependency. Of those
 * that are large enough the one that most of the closure needs is taken, as others will take it, too.
 *
 * It depends on the closure alone: a formula that is new elsewhere changes no image. Groups stand
 * where their last member stood.
 */
export function planLayers(
  members: readonly LayerMember[],
  { maxLayers = maxImageLayers }: { readonly maxLayers?: number } = {},
): readonly (readonly string[])[] {
  const excess = members.length - (maxLayers - 1);
  if (excess <= 0) return members.map(({ name }) => [name]);
  const closures = closuresOf(members);
  const users = new Map<string, number>();
  for (const closure of closures.values()) {
    for (const name of closure) users.set(name, (users.get(name) ?? 0) + 1);
  }
  const root = members.at(-1)?.name;
  const [chosen] = [...closures]
    .filter(([name, closure]) => name !== root && closure.size > excess)
    .toSorted(
      ([a, inA], [b, inB]) =>
        (users.get(b) ?? 0) - (users.get(a) ?? 0) || inA.size - inB.size || (a < b ? -1 : 1),
    );
  // A closure so flat that no dependency has enough below it: what comes first, which all need.
  const merged = chosen?.[1] ?? new Set(members.slice(0, excess + 1).map(({ name }) => name));
  const last = members.findLast(({ name }) => merged.has(name))?.name;
  // By name: the order of a closure depends on what else is in it.
  const group = [...merged].toSorted();
  return members.flatMap(({ name }) =>
    name === last ? [group] : merged.has(name) ? [] : [[name]],
  );
}

function closuresOf(members: readonly LayerMember[]): ReadonlyMap<string, ReadonlySet<string>> {
  const closures = new Map<string, Set<string>>();
  // Dependencies come first.
  for (const { name, dependencies } of members) {
    const closure = new Set<string>();
    for (const dependency of dependencies) {
      for (const below of closures.get(dependency) ?? []) closure.add(below);
    }
    closures.set(name, closure.add(name));
  }
  return closures;
}
