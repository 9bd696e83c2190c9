import { join } from 'node:path';
import { homebrewDomains } from '@tapline/brew';
import { FileBlobStore } from '@tapline/registry';
import {
  createImageBuilder,
  type ImageBuilder,
  type ImageBuilderInit,
} from '../create-image-builder.ts';
import { hastyClock } from './open-test-source.ts';

export const amd64 = { os: 'linux', architecture: 'amd64' } as const;
export const arm64 = { os: 'linux', architecture: 'arm64' } as const;

export interface TestBuilder extends AsyncDisposable {
  readonly store: FileBlobStore;
  readonly builder: ImageBuilder;
}

/** A builder in a folder of its own over the mirror that `environment` names. */
export async function openTestBuilder(
  directory: string,
  environment: Readonly<Record<string, string>>,
  options: Partial<ImageBuilderInit> = {},
): Promise<TestBuilder> {
  const store = await FileBlobStore.open(join(directory, 'store'));
  const builder = createImageBuilder({
    store,
    cacheDirectory: join(directory, 'cache'),
    domains: homebrewDomains(environment),
    clock: hastyClock,
    attempts: 3,
    ...options,
  });
  return { store, builder, [Symbol.asyncDispose]: () => builder[Symbol.asyncDispose]() };
}
