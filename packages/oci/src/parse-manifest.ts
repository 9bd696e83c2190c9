import { defined, TaplineError } from '@tapline/base';
import type { Descriptor } from './descriptor.ts';
import type { ImageIndex } from './image-index.ts';
import type { ImageManifest } from './image-manifest.ts';
import {
  invalidField,
  type JsonField,
  member,
  optional,
  parseJsonDocument,
  readArray,
  readStringMap,
} from './json-field.ts';
import { mediaTypes } from './media-types.ts';
import { readDescriptor, readMediaType } from './read-descriptor.ts';

/** OCI distribution 1.1 asks registries to take at least 4 MiB; larger ones travel nowhere. */
export const maxManifestBytes: number = 4 * 1024 * 1024;
const maxDescriptors = 4096;

export type ParsedManifest =
  | { readonly kind: 'manifest'; readonly manifest: ImageManifest }
  | { readonly kind: 'index'; readonly index: ImageIndex };

const manifestTypes: readonly string[] = [mediaTypes.ociManifest, mediaTypes.dockerManifest];
const indexTypes: readonly string[] = [mediaTypes.ociIndex, mediaTypes.dockerManifestList];

/**
 * Parses a manifest or index of OCI image 1.1 or Docker schema 2. A missing `mediaType` is filled
 * in, so keep the original bytes where the digest matters. Throws `manifest_invalid` naming the
 * field, `manifest_unsupported` for Docker schema 1 and unknown types.
 */
export function parseManifest(input: Uint8Array | string): ParsedManifest {
  const root = parseJsonDocument(input, {
    code: 'manifest_invalid',
    name: 'manifest',
    maxBytes: maxManifestBytes,
  });
  const version = member(root, 'schemaVersion');
  if (version.value === 1) {
    throw new TaplineError('manifest_unsupported', 'manifest has Docker schema version 1', {
      hint: 'push the image again with a client that writes schema 2 or OCI manifests',
    });
  }
  if (version.value !== 2) throw invalidField(version, '2');

  const hasManifests = member(root, 'manifests').value !== undefined;
  const hasLayers =
    member(root, 'layers').value !== undefined || member(root, 'config').value !== undefined;
  // CVE-2021-41190: a document that can be read both ways means two things under one digest.
  if (hasManifests && hasLayers) {
    throw new TaplineError('manifest_invalid', 'manifest has both manifests and layers or config');
  }

  const mediaType =
    optional(root, 'mediaType', readMediaType) ??
    (hasManifests ? mediaTypes.ociIndex : mediaTypes.ociManifest);
  if (indexTypes.includes(mediaType)) {
    return { kind: 'index', index: readIndex(root, mediaType) };
  }
  if (manifestTypes.includes(mediaType)) {
    return { kind: 'manifest', manifest: readManifest(root, mediaType) };
  }
  throw new TaplineError(
    'manifest_unsupported',
    `manifest has media type ${mediaType}, not one of ${[...manifestTypes, ...indexTypes].join(', ')}`,
  );
}

function readManifest(root: JsonField, mediaType: string): ImageManifest {
  return {
    schemaVersion: 2,
    mediaType,
    config: readDescriptor(member(root, 'config')),
    layers: readDescriptors(member(root, 'layers')),
    ...readCommon(root),
  };
}

function readIndex(root: JsonField, mediaType: string): ImageIndex {
  return {
    schemaVersion: 2,
    mediaType,
    manifests: readDescriptors(member(root, 'manifests')),
    ...readCommon(root),
  };
}

function readDescriptors(field: JsonField): readonly Descriptor[] {
  return readArray(field, { max: maxDescriptors, read: readDescriptor });
}

function readCommon(root: JsonField): Pick<ImageIndex, 'artifactType' | 'subject' | 'annotations'> {
  return defined({
    artifactType: optional(root, 'artifactType', readMediaType),
    subject: optional(root, 'subject', readDescriptor),
    annotations: optional(root, 'annotations', readStringMap),
  });
}
