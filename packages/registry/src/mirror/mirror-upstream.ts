import type { RegistryClient } from '../client/registry-client.ts';

/** A registry that is mirrored under a prefix of repository names. */
export interface MirrorUpstream {
  /** `docker.io`: `docker.io/library/alpine` here is `library/alpine` there. */
  readonly prefix: string;
  readonly client: Pick<
    RegistryClient,
    'resolve' | 'manifest' | 'blobSize' | 'blob' | 'tags' | 'referrers'
  >;
  /** How long what a tag stands for is taken for true; 5 minutes unless given. */
  readonly tagTtlMs?: number;
}

/** The upstream that a repository is of, and its name there. */
export function upstreamOf(
  upstreams: readonly MirrorUpstream[],
  repository: string,
): { readonly upstream: MirrorUpstream; readonly name: string } | undefined {
  const upstream = upstreams
    .filter(({ prefix }) => repository.startsWith(`${prefix}/`))
    .toSorted((a, b) => b.prefix.length - a.prefix.length)[0];
  return upstream && { upstream, name: repository.slice(upstream.prefix.length + 1) };
}
