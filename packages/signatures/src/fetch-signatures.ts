import { collectBytes, isTaplineError, TaplineError } from '@tapline/base';
import type { Digest, ParsedManifest } from '@tapline/oci';
import type { RegistryClient } from '@tapline/registry';
import { signatureMediaTypes } from './signature-media-types.ts';

/** A signature of an image, both parts in base64. */
export interface ImageSignature {
  readonly payload: string;
  readonly signature: string;
}

const maxSignatures = 32;
const maxPayloadBytes = 64 * 1024;

/** The signatures that a registry has of an image, those of `cosign sign` among them. */
export async function fetchSignatures(
  registry: Pick<RegistryClient, 'manifest' | 'blob' | 'referrers'>,
  image: { readonly repository: string; readonly digest: Digest },
  options: { readonly signal?: AbortSignal } = {},
): Promise<readonly ImageSignature[]> {
  const { repository, digest } = image;
  const artifactType = signatureMediaTypes.signature;
  const referrers = await registry.referrers(repository, digest, { ...options, artifactType });
  const names = referrers.slice(0, maxSignatures).map((referrer): string => referrer.digest);
  // Where cosign puts them unless told otherwise, and where registries without referrers have them.
  if (names.length === 0) names.push(`${digest.replace(':', '-')}.sig`);
  const found: ImageSignature[] = [];
  for (const name of names) {
    const manifest = await findManifest(registry, { repository, name }, options);
    if (manifest === undefined) continue;
    if (manifest.kind !== 'manifest') continue;
    for (const layer of manifest.manifest.layers.slice(0, maxSignatures)) {
      const signature = layer.annotations?.[signatureMediaTypes.signatureAnnotation];
      if (layer.mediaType !== signatureMediaTypes.payload || signature === undefined) continue;
      const tooLarge = (): TaplineError =>
        new TaplineError(
          'signature_invalid',
          `a signature of ${digest} has a payload of more than ${maxPayloadBytes} bytes`,
        );
      if (layer.size > maxPayloadBytes) throw tooLarge();
      const payload = await collectBytes(registry.blob(repository, layer, options), {
        maxBytes: maxPayloadBytes,
        tooLarge,
      });
      found.push({ payload: btoa(String.fromCharCode(...payload)), signature });
    }
  }
  return found;
}

async function findManifest(
  registry: Pick<RegistryClient, 'manifest'>,
  { repository, name }: { readonly repository: string; readonly name: string },
  options: { readonly signal?: AbortSignal },
): Promise<ParsedManifest | undefined> {
  try {
    return (await registry.manifest(repository, name, options)).manifest;
  } catch (error) {
    if (isTaplineError(error, 'manifest_unknown')) return undefined;
    throw error;
  }
}
