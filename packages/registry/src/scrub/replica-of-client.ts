import { errorMessage, TaplineError } from '@tapline/base';
import type { RegistryClient } from '../client/registry-client.ts';
import type { BlobReplica } from './blob-replica.ts';

/**
 * Another registry as a replica: each of a blob's repositories is asked, under the name it has there;
 * `repositoryThere` answers undefined for what the other registry does not have.
 */
export function replicaOfClient(
  client: Pick<RegistryClient, 'blob' | 'manifest'>,
  init: {
    readonly name: string;
    readonly repositoryThere?: (repository: string) => string | undefined;
  },
): BlobReplica {
  const { name, repositoryThere = (repository: string) => repository } = init;
  return {
    name,
    async *fetch({ digest, size, repositories }, options) {
      const reasons: string[] = [];
      for (const repository of repositories) {
        const there = repositoryThere(repository);
        if (there === undefined) continue;
        let hasBegun = false;
        try {
          // Content of a repository is a blob or a manifest; which, its digest does not say.
          for await (const chunk of client.blob(there, { digest, size }, options)) {
            hasBegun = true;
            yield chunk;
          }
          return;
        } catch (error) {
          if (hasBegun) throw error;
          reasons.push(errorMessage(error));
        }
        try {
          yield (await client.manifest(there, digest, options)).bytes;
          return;
        } catch (error) {
          reasons.push(errorMessage(error));
        }
      }
      throw new TaplineError('blob_unknown', `${name} has no ${digest}: ${reasons.join('; ')}`);
    },
  };
}
