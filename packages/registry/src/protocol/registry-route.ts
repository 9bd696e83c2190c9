import { TaplineError } from '@tapline/base';
import { type Digest, isRepositoryName, isTag, parseDigest } from '@tapline/oci';

/** A manifest by what the path says: a tag or a digest. */
export type ManifestReference =
  | { readonly kind: 'tag'; readonly tag: string }
  | { readonly kind: 'digest'; readonly digest: Digest };

/** What a path under `/v2/` names (OCI distribution 1.1, "Endpoints"). */
export type RegistryRoute =
  | { readonly kind: 'ping' }
  /** Not of OCI distribution, but of Docker's registry, and what others ask for. */
  | { readonly kind: 'catalog' }
  | { readonly kind: 'blob'; readonly repository: string; readonly digest: Digest }
  | { readonly kind: 'uploads'; readonly repository: string }
  | { readonly kind: 'upload'; readonly repository: string; readonly id: string }
  | {
      readonly kind: 'manifest';
      readonly repository: string;
      readonly reference: ManifestReference;
    }
  | { readonly kind: 'tags'; readonly repository: string }
  | { readonly kind: 'referrers'; readonly repository: string; readonly digest: Digest };

/** Throws `route_unknown`, `name_invalid`, `digest_invalid` and `tag_invalid`. */
export function parseRegistryRoute(path: string): RegistryRoute {
  if (path === '/v2/' || path === '/v2') return { kind: 'ping' };
  // No repository has this name: names begin with a letter or a digit.
  if (path === '/v2/_catalog') return { kind: 'catalog' };
  const match =
    /^\/v2\/(.+)\/(?:(blobs\/uploads)\/?|blobs\/uploads\/([0-9a-f-]{36})|(blobs|manifests|referrers)\/([^/]+)|(tags\/list))$/.exec(
      path,
    );
  if (match === null) throw new TaplineError('route_unknown', `nothing is served at ${path}`);
  const [, repository = '', uploads, upload, section = '', reference = ''] = match;
  if (!isRepositoryName(repository)) {
    throw new TaplineError(
      'name_invalid',
      `repository name ${JSON.stringify(repository.slice(0, 300))} is not one of OCI distribution 1.1`,
    );
  }
  if (uploads !== undefined) return { kind: 'uploads', repository };
  if (upload !== undefined) return { kind: 'upload', repository, id: upload };
  switch (section) {
    case 'blobs':
      return { kind: 'blob', repository, digest: parseDigest(reference) };
    case 'referrers':
      return { kind: 'referrers', repository, digest: parseDigest(reference) };
    case 'manifests':
      return { kind: 'manifest', repository, reference: parseManifestReference(reference) };
    default:
      return { kind: 'tags', repository };
  }
}

function parseManifestReference(text: string): ManifestReference {
  if (text.includes(':')) return { kind: 'digest', digest: parseDigest(text) };
  if (isTag(text)) return { kind: 'tag', tag: text };
  throw new TaplineError(
    'tag_invalid',
    `tag ${JSON.stringify(text.slice(0, 160))} is not one of OCI distribution 1.1`,
  );
}
