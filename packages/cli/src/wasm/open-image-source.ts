import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { ImageEndpoint } from '@tapline/registry';
import { openRegistry } from '../build/open-registry.ts';
import type { Console } from '../framework/console.ts';

/** Where the image of a guest comes from. */
export interface ImageSource extends AsyncDisposable {
  readonly endpoint: Pick<ImageEndpoint, 'manifest' | 'blob'>;
  readonly repository: string;
  /** A tag or a digest. */
  readonly reference: string;
}

/** What a user names: a folder as a root, a folder that is an image, or an image of a registry. */
export function kindOfGuest(text: string): 'folder' | 'layout' | 'registry' {
  if (statSync(text, { throwIfNoEntry: false })?.isDirectory() !== true) return 'registry';
  return existsSync(join(text, 'oci-layout')) ? 'layout' : 'folder';
}

/** An OCI image layout with one image, as `brew2oci --output DIR` writes it, or an image of a registry. */
export async function openImageSource(
  text: string,
  options: {
    readonly console: Console;
    readonly flags: {
      readonly kubeconfig: string | undefined;
      readonly context: string | undefined;
    };
  },
): Promise<ImageSource> {
  if (kindOfGuest(text) === 'layout') {
    const { openOciLayout } = await import('@tapline/registry');
    return {
      endpoint: await openOciLayout(text, { mustExist: true }),
      repository: 'image',
      reference: 'latest',
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }
  const { client, repository, reference } = await openRegistry(text, options);
  return {
    endpoint: client,
    repository,
    reference,
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}
