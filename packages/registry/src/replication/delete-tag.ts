import { isTaplineError, TaplineError } from '@tapline/base';
import type { RegistryClient } from '../client/registry-client.ts';

/** Some registries delete manifests only; then that, where no other tag stands for it. */
export async function deleteTag(
  destination: Pick<RegistryClient, 'deleteManifest' | 'resolve' | 'tags'>,
  {
    repository,
    tag,
    signal,
  }: { readonly repository: string; readonly tag: string; readonly signal: AbortSignal },
): Promise<void> {
  try {
    await destination.deleteManifest(repository, tag, { signal });
    return;
  } catch (error) {
    const status = isTaplineError(error) ? error.details['status'] : undefined;
    // Distribution answers 400 to a tag, or 405.
    if (status !== 400 && status !== 405) throw error;
  }
  const found = await destination.resolve(repository, tag, { signal });
  if (found === undefined) return;
  for (const other of await destination.tags(repository, { signal })) {
    if (other === tag) continue;
    const same = await destination.resolve(repository, other, { signal });
    if (same?.digest === found.digest) {
      throw new TaplineError(
        'unsupported',
        `tag ${tag} of ${repository} cannot be deleted: the registry deletes manifests only, and ${other} is the same one`,
      );
    }
  }
  await destination.deleteManifest(repository, found.digest, { signal });
}
