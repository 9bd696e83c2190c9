import { TaplineError } from '@tapline/base';
import { bottleTagOf, type BottleTag, gccRuntimeLibraries } from '@tapline/brew';
import { mediaTypes, type Platform } from '@tapline/oci';
import type { BlobStore } from '@tapline/registry';
import { assembleImage } from './assemble-image.ts';
import type { OnBuildEvent } from './build-event.ts';
import type { BuiltImage, BuiltPlatform } from './built-image.ts';
import type { Compression } from './compression.ts';
import type { LayerThreads } from './layer-threads.ts';
import type { HomebrewApi } from './homebrew-api.ts';
import type { LayerRecord } from './layer-record.ts';
import { createLayerSink } from './layer-sink.ts';
import { mapConcurrently } from './map-concurrently.ts';
import type { ProgramSandbox } from './post-install/program-sandbox.ts';
import type { PackagePlan } from './package-plan.ts';
import { planPackage } from './plan-package.ts';
import {
  type MeasuredPour,
  measurePour,
  type PourDependencies,
  type PouredPackage,
  pourPackage,
  reserveDisk,
} from './pour-package.ts';
import { putDocument } from './put-document.ts';

export interface BuildImageRequest {
  /** `jq`, or with a version `jq@1.7.1`. */
  readonly formula: string;
  readonly version?: string;
  readonly platforms: readonly Platform[];
  /** gzip unless given. */
  readonly compression?: Compression;
  /**
   * What is done once kegs are linked: what touches files, which gives the same image on every machine
   * and is the default, or also what runs the image's programs, where this machine can.
   */
  readonly postInstall?: 'files' | 'programs';
  /** Of an image, with that of its links; 120 unless given. */
  readonly maxLayers?: number;
  readonly onEvent?: OnBuildEvent;
  readonly signal?: AbortSignal;
}

export interface BuildImageDependencies extends PourDependencies {
  readonly api: HomebrewApi;
  readonly programs: ProgramSandbox;
  readonly store: BlobStore;
  readonly threads: LayerThreads;
}

/**
 * Builds a package into an image index in the store. Equal formulae give equal digests, whatever was
 * built before. Throws the errors of planning, fetching and pouring, and `version_differs` where
 * platforms have different versions.
 */
export async function buildImage(
  deps: BuildImageDependencies,
  request: BuildImageRequest,
): Promise<BuiltImage> {
  const { clock, store } = deps;
  const start = clock.monotonic();
  const tags = [...new Set(request.platforms.map(bottleTagOf))].toSorted();
  if (tags.length === 0) {
    throw new TaplineError('platform_unsupported', 'no platform to build for is given');
  }
  const { threads } = deps;
  const sink = createLayerSink({ store, threads, compression: request.compression ?? 'gzip' });
  const options = {
    sink,
    onEvent: request.onEvent,
    signal: request.signal,
    programs: request.postInstall === 'programs' ? deps.programs : undefined,
  };
  const name =
    request.version === undefined ? request.formula : `${request.formula}@${request.version}`;

  const plans = await mapConcurrently(tags, { limit: tags.length, ...options }, (tag, signal) =>
    planPackage(deps.api, { formula: name, tag, signal }),
  );
  const planned = clock.monotonic();
  // Platforms are built side by side: a stage is over when it is over for the last.
  let [fetched, poured] = [planned, planned];
  const packageVersion = commonVersion(plans);

  const measured = await mapConcurrently(
    plans,
    { limit: plans.length, ...options },
    (plan, signal) => measurePour(deps, plan, { ...options, signal }),
  );
  await reserveDisk(deps, measured);
  const images = await mapConcurrently(
    measured,
    { limit: measured.length, ...options },
    (pour, signal) => buildPlatform(pour, { ...options, signal }),
  );

  async function buildPlatform(
    measuredPour: MeasuredPour,
    platformOptions: typeof options & { readonly signal: AbortSignal },
  ): Promise<BuiltPlatform> {
    let { plan } = measuredPour;
    let { kegs } = await pourTimed(measuredPour, platformOptions);
    const layers = kegs.map(({ layer }) => layer);
    if (needsGcc(plan, layers)) {
      const { signal } = platformOptions;
      plan = await planPackage(deps.api, { formula: name, tag: plan.tag, withGcc: true, signal });
      const withGcc = await measurePour(deps, plan, platformOptions);
      await reserveDisk(deps, [withGcc]);
      ({ kegs } = await pourTimed(withGcc, platformOptions));
    }
    const image = await assembleImage(
      { store, sink },
      { plan, kegs },
      {
        ...platformOptions,
        ...(request.maxLayers !== undefined && { maxLayers: request.maxLayers }),
      },
    );
    request.onEvent?.({ kind: 'image', tag: plan.tag, digest: image.manifest.digest });
    return image;
  }

  async function pourTimed(
    pour: MeasuredPour,
    platformOptions: typeof options,
  ): Promise<PouredPackage> {
    const result = await pourPackage(deps, pour, platformOptions);
    fetched = Math.max(fetched, result.fetched);
    poured = Math.max(poured, result.poured);
    return result;
  }

  const formula = plans[0]?.root.formula.name ?? request.formula;
  const index = await putDocument(store, {
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests: images.map((image) => image.manifest),
    annotations: {
      'org.opencontainers.image.title': formula,
      'org.opencontainers.image.version': packageVersion,
    },
  });
  return {
    index: { mediaType: mediaTypes.ociIndex, ...index },
    formula,
    packageVersion,
    compression: sink.compression,
    images,
    timings: {
      planMs: planned - start,
      fetchMs: fetched - planned,
      layersMs: Math.max(0, poured - fetched),
      assembleMs: clock.monotonic() - Math.max(poured, fetched),
      totalMs: clock.monotonic() - start,
    },
  };
}

/**
 * Homebrew adds gcc where the host's libraries are too old for a bottle. An image has no host, so
 * it is added where a file needs one of its libraries and no formula of the closure is gcc.
 */
export function needsGcc(
  { bottles }: Pick<PackagePlan, 'bottles'>,
  layers: readonly Pick<LayerRecord, 'needed'>[],
): boolean {
  return (
    !bottles.some(({ formula }) => formula.name === 'gcc') &&
    layers.some(({ needed }) => needed.some((soname) => gccRuntimeLibraries.includes(soname)))
  );
}

function commonVersion(plans: readonly PackagePlan[]): string {
  const versions = new Map<string, BottleTag[]>();
  for (const { root, tag } of plans) {
    versions.set(root.pkgVersion, [...(versions.get(root.pkgVersion) ?? []), tag]);
  }
  const [version] = versions.keys();
  if (version !== undefined && versions.size === 1) return version;
  const shown = [...versions].map(([text, tags]) => `${text} for ${tags.join(', ')}`).join('; ');
  throw new TaplineError('version_differs', `platforms have different versions: ${shown}`, {
    hint: 'name a version that all platforms have, or build them one by one',
  });
}
