import { bottleTagOf, platformOfTag } from '@tapline/brew';
import { type BuildImageDependencies, type BuildImageRequest, needsGcc } from './build-image.ts';
import { mapConcurrently } from './map-concurrently.ts';
import { planPackage } from './plan-package.ts';
import { type PlannedPlatform, planPlatform } from './plan-platform.ts';

export interface ImagePlan {
  readonly formula: string;
  readonly platforms: readonly PlannedPlatform[];
}

/**
 * What `buildImage` would do. Whether gcc has to be added shows in the layers: as long as they are
 * not all there, a plan may lack it.
 */
export async function planImage(
  deps: Pick<BuildImageDependencies, 'api' | 'bottles' | 'layers'>,
  request: BuildImageRequest,
): Promise<ImagePlan> {
  const { compression = 'gzip', version } = request;
  const formula = version === undefined ? request.formula : `${request.formula}@${version}`;
  const tags = [...new Set(request.platforms.map(bottleTagOf))].toSorted();
  const limit = { limit: tags.length, signal: request.signal };
  const planned = await mapConcurrently(tags, limit, async (tag, signal) => {
    const first = await planPackage(deps.api, { formula, tag, signal });
    const known = await Promise.all(
      first.bottles.map((bottle) => deps.layers.find(bottle, compression)),
    );
    const layers = known.flatMap((layer) => layer ?? []);
    const plan = needsGcc(first, layers)
      ? await planPackage(deps.api, { formula, tag, withGcc: true, signal })
      : first;
    const platform = platformOfTag(tag);
    const compared = await planPlatform(deps, plan, { platform, compression, signal });
    return { name: plan.root.formula.name, compared };
  });
  return {
    formula: planned[0]?.name ?? request.formula,
    platforms: planned.map(({ compared }) => compared),
  };
}
