import { imageLabels, planImageConfig, platformOfTag } from '@tapline/brew';
import { type Descriptor, mediaTypes } from '@tapline/oci';
import type { BlobStore } from '@tapline/registry';
import { buildLinkLayer, type PouredKeg } from './build-link-layer.ts';
import type { BuiltLayer, BuiltPlatform } from './built-image.ts';
import { type Compression, layerMediaType } from './compression.ts';
import type { FinishOptions } from './finish-prefix.ts';
import type { LayerSink } from './layer-sink.ts';
import type { PackagePlan } from './package-plan.ts';
import { putDocument } from './put-document.ts';

/** Config and manifest of one platform over layers that are in the store. */
export async function assembleImage(
  { store, sink }: { readonly store: BlobStore; readonly sink: LayerSink },
  { plan, kegs }: { readonly plan: PackagePlan; readonly kegs: readonly PouredKeg[] },
  options: Pick<FinishOptions, 'signal' | 'programs'>,
): Promise<BuiltPlatform> {
  const { root, tag } = plan;
  const keg = kegs.find((candidate) => candidate.name === root.formula.name);
  if (keg === undefined) throw new RangeError(`no keg of ${root.formula.name} among the layers`);
  const links = await buildLinkLayer(sink, kegs, {
    ...options,
    architecture: platformOfTag(tag).architecture,
  });
  const layers: readonly BuiltLayer[] = [
    ...kegs.map(({ name, pkgVersion, layer }) => {
      const { digest, diffId, size, unpackedSize, fileCount, fileIndex } = layer;
      return {
        formula: name,
        version: pkgVersion,
        digest,
        diffId,
        size,
        unpackedSize,
        fileCount,
        fileIndex,
      };
    }),
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
      createdBy: layer.formula === undefined ? 'link' : `pour ${layer.formula} ${layer.version}`,
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

function layerDescriptor(layer: BuiltLayer, compression: Compression): Descriptor {
  return {
    mediaType: layerMediaType[compression],
    digest: layer.digest,
    size: layer.size,
    annotations: {
      ...(layer.formula !== undefined && { [imageLabels.formula]: layer.formula }),
      ...(layer.version !== undefined && { 'org.opencontainers.image.version': layer.version }),
      [imageLabels.unpackedSize]: String(layer.unpackedSize),
      [imageLabels.fileCount]: String(layer.fileCount),
    },
  };
}
