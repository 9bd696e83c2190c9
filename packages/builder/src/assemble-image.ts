import { imageLabels, planImageConfig, planLayers, platformOfTag } from '@tapline/brew';
import { type Descriptor, mediaTypes } from '@tapline/oci';
import type { BlobStore } from '@tapline/registry';
import { buildMergedLayer } from './build-merged-layer.ts';
import { layerMembers } from './layer-members.ts';
import { buildLinkLayer, type PouredKeg } from './build-link-layer.ts';
import type { BuiltLayer, BuiltPlatform } from './built-image.ts';
import { type Compression, layerMediaType } from './compression.ts';
import type { FinishOptions } from './finish-prefix.ts';
import type { LayerSink } from './layer-sink.ts';
import type { PackagePlan } from './package-plan.ts';
import { putDocument } from './put-document.ts';

export interface AssembleOptions extends Pick<FinishOptions, 'signal' | 'programs'> {
  /** 120 unless given. */
  readonly maxLayers?: number;
}

/** Config and manifest of one platform over layers that are in the store. */
export async function assembleImage(
  { store, sink }: { readonly store: BlobStore; readonly sink: LayerSink },
  { plan, kegs }: { readonly plan: PackagePlan; readonly kegs: readonly PouredKeg[] },
  options: AssembleOptions,
): Promise<BuiltPlatform> {
  const { root, tag } = plan;
  const keg = kegs.find((candidate) => candidate.name === root.formula.name);
  if (keg === undefined) throw new RangeError(`no keg of ${root.formula.name} among the layers`);
  const links = await buildLinkLayer(sink, kegs, {
    ...options,
    architecture: platformOfTag(tag).architecture,
  });
  const layers: readonly BuiltLayer[] = [
    ...(await formulaLayers(sink, plan, { ...options, kegs })),
    links.layer,
  ];
  const planned = planImageConfig({
    formula: root.formula,
    keg,
    bottleDigest: root.digest,
    tag,
    leftOut: links.leftOut,
    unlinked: links.unlinked,
    layers: layers.map((layer) => ({
      diffId: layer.diffId,
      createdBy: createdBy(layer),
    })),
  });
  const config = await putDocument(store, planned.config);
  const unpackedSize = layers.reduce((total, layer) => total + layer.unpackedSize, 0);
  const fileCount = layers.reduce((total, layer) => total + layer.fileCount, 0);
  const manifest = await putDocument(store, {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, ...config },
    layers: layers.map((layer) => layerDescriptor(layer, sink.compression)),
    annotations: {
      ...planned.annotations,
      [imageLabels.unpackedSize]: String(unpackedSize),
      [imageLabels.fileCount]: String(fileCount),
    },
  });
  const platform = platformOfTag(tag);
  return {
    tag,
    plan,
    platform,
    manifest: { mediaType: mediaTypes.ociManifest, ...manifest, platform },
    config: planned.config,
    configDigest: config.digest,
    layers,
    unpackedSize,
    fileCount,
    executables: planned.executables,
    ...(planned.mainCommand !== undefined && { mainCommand: planned.mainCommand }),
  };
}

/** A layer each, or of several where each had too many. */
async function formulaLayers(
  sink: LayerSink,
  plan: PackagePlan,
  options: AssembleOptions & { readonly kegs: readonly PouredKeg[] },
): Promise<readonly BuiltLayer[]> {
  const byName = new Map(options.kegs.map((keg) => [keg.name, keg]));
  const layers: BuiltLayer[] = [];
  for (const names of planLayers(layerMembers(plan), options)) {
    const members = names.flatMap((name) => byName.get(name) ?? []);
    const [first, ...others] = members;
    if (first === undefined) throw new RangeError(`no keg of ${names.join(', ')}`);
    const named =
      others.length === 0
        ? { formula: first.name, version: first.pkgVersion }
        : { formulae: names };
    const facts =
      others.length === 0 ? first.layer : await buildMergedLayer(sink, members, options);
    const { digest, diffId, size, unpackedSize, fileCount, fileIndex } = facts;
    layers.push({ ...named, digest, diffId, size, unpackedSize, fileCount, fileIndex });
  }
  return layers;
}

function createdBy({ formula, formulae, version }: BuiltLayer): string {
  if (formulae !== undefined) return `pour ${formulae.join(' ')}`;
  return formula === undefined ? 'link' : `pour ${formula} ${version}`;
}

function layerDescriptor(layer: BuiltLayer, compression: Compression): Descriptor {
  return {
    mediaType: layerMediaType[compression],
    digest: layer.digest,
    size: layer.size,
    annotations: {
      ...(layer.formula !== undefined && { [imageLabels.formula]: layer.formula }),
      ...(layer.formulae !== undefined && {
        [imageLabels.formulae]: JSON.stringify(layer.formulae),
      }),
      ...(layer.version !== undefined && { 'org.opencontainers.image.version': layer.version }),
      [imageLabels.unpackedSize]: String(layer.unpackedSize),
      [imageLabels.fileCount]: String(layer.fileCount),
    },
  };
}
