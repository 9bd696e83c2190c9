import { isTaplineError } from '@tapline/base';
import type { RegistryClient } from '../client/registry-client.ts';
import { isPlainName } from './glob-pattern.ts';

/** Not every registry lists its repositories; names need no list. */
export async function repositoriesOf(
  policy: {
    readonly repositories: readonly string[];
    readonly fitsRepository: (repository: string) => boolean;
  },
  source: Pick<RegistryClient, 'tags' | 'repositories'>,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (policy.repositories.length > 0 && policy.repositories.every(isPlainName)) {
    return policy.repositories;
  }
  return (await source.repositories({ signal })).filter((name) => policy.fitsRepository(name));
}

/** The tags of a repository; none where there is no such repository. */
export async function tagsOf(
  source: Pick<RegistryClient, 'tags' | 'repositories'>,
  repository: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  try {
    return await source.tags(repository, { signal });
  } catch (error) {
    if (isTaplineError(error) && error.details['status'] === 404) return [];
    throw error;
  }
}
