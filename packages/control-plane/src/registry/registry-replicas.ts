import {
  type BlobReplica,
  globPatterns,
  type RegistryClient,
  replicaOfClient,
} from '@tapline/registry';
import type { MirrorConfiguration, ReplicationConfiguration } from './registry-configuration.ts';

type Client = Pick<RegistryClient, 'blob' | 'manifest'>;

/** A mirrored registry has what is here under its prefix. */
export function replicaOfMirror(
  { prefix, url }: Pick<MirrorConfiguration, 'prefix' | 'url'>,
  client: Client,
): BlobReplica {
  return replicaOfClient(client, {
    name: url,
    repositoryThere: (repository) => after(repository, `${prefix}/`),
  });
}

/**
 * The other registry of a policy has what the policy copies. It is not asked for anything else, so
 * that it does not learn the names of what it is not to have.
 */
export function replicaOfPolicy(
  policy: Pick<ReplicationConfiguration, 'direction' | 'prefix' | 'repositories' | 'url'>,
  client: Client,
): BlobReplica {
  const { direction, prefix, url } = policy;
  const fits = globPatterns(policy.repositories);
  return replicaOfClient(client, {
    name: url,
    repositoryThere(repository) {
      // Patterns are of the names at the source.
      if (direction === 'push') return fits(repository) ? `${prefix}${repository}` : undefined;
      const there = after(repository, prefix);
      return there !== undefined && fits(there) ? there : undefined;
    },
  });
}

function after(text: string, prefix: string): string | undefined {
  return text.startsWith(prefix) ? text.slice(prefix.length) : undefined;
}
