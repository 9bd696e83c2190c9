import { isTaplineError } from '@tapline/base';
import {
  type Descriptor,
  type Digest,
  encodeManifest,
  mediaTypes,
  type ParsedManifest,
  parseManifest,
} from '@tapline/oci';
import type { FetchedManifest, RegistryClient, RequestOptions } from './registry-client.ts';
import { referrersTag } from './referrers-tag.ts';

type Manifests = Pick<RegistryClient, 'manifest' | 'pushManifest'>;

/** The descriptor under which the referrers of a subject list a manifest. */
export function referrerDescriptor(
  parsed: ParsedManifest,
  manifest: { readonly digest: Digest; readonly size: number },
): Descriptor {
  const document = parsed.kind === 'manifest' ? parsed.manifest : parsed.index;
  const artifactType =
    document.artifactType ??
    (parsed.kind === 'manifest' ? parsed.manifest.config.mediaType : undefined);
  return {
    mediaType: document.mediaType,
    digest: manifest.digest,
    size: manifest.size,
    ...(artifactType !== undefined && { artifactType }),
    ...(document.annotations !== undefined && { annotations: document.annotations }),
  };
}

/** What the tag schema lists; empty where there is no such tag. */
export async function taggedReferrers(
  client: Manifests,
  subject: { readonly repository: string; readonly digest: Digest },
  options: RequestOptions,
): Promise<readonly Descriptor[]> {
  let found: FetchedManifest;
  try {
    found = await client.manifest(subject.repository, referrersTag(subject.digest), options);
  } catch (error) {
    if (isTaplineError(error) && error.details['status'] === 404) return [];
    throw error;
  }
  return found.manifest.kind === 'index' ? found.manifest.index.manifests : [];
}

/**
 * Adds a manifest to the referrers that the tag schema lists for its subject; for registries that
 * do not know of subjects. Two clients that do so at once may lose one: the schema has no way around.
 */
export async function tagReferrer(
  client: Manifests,
  pushed: { readonly repository: string; readonly bytes: Uint8Array; readonly digest: Digest },
  options: RequestOptions,
): Promise<void> {
  const parsed = parseManifest(pushed.bytes);
  const { subject } = parsed.kind === 'manifest' ? parsed.manifest : parsed.index;
  if (subject === undefined) return;
  const { repository, digest } = pushed;
  const listed = await taggedReferrers(client, { repository, digest: subject.digest }, options);
  if (listed.some((one) => one.digest === digest)) return;
  const bytes = encodeManifest({
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests: [...listed, referrerDescriptor(parsed, { digest, size: pushed.bytes.length })],
  });
  await client.pushManifest(
    repository,
    { reference: referrersTag(subject.digest), mediaType: mediaTypes.ociIndex, bytes },
    options,
  );
}
