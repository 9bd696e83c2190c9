import {
  type BottleTag,
  bottleUrl,
  bottleVersionTag,
  type ClosureMember,
  pkgVersion,
} from '@tapline/brew';
import type { HomebrewApi } from './homebrew-api.ts';
import type { PlannedBottle } from './package-plan.ts';

/** A formula's current bottle, with what the registry says of it. */
export async function planMember(
  api: HomebrewApi,
  { formula, bottle }: ClosureMember,
  { tag, signal }: { readonly tag: BottleTag; readonly signal?: AbortSignal | undefined },
): Promise<PlannedBottle> {
  const version = pkgVersion(formula);
  const published = await api.bottles(formula.name, bottleVersionTag(version, formula.rebuild), {
    signal,
  });
  // `:all` bottles are listed without a platform: the digest tells them (github_packages.rb).
  const known = [...(published?.values() ?? [])].find((item) => item.digest === bottle.digest);
  const url = bottleUrl(api.domains, {
    name: formula.name,
    version,
    rebuild: formula.rebuild,
    tag: formula.bottles.has(tag) ? tag : 'all',
    url: bottle.url,
  });
  return {
    formula,
    pkgVersion: version,
    digest: bottle.digest,
    url,
    ...(known?.size !== undefined && { size: known.size }),
    ...(known !== undefined && { tab: known.tab }),
  };
}
