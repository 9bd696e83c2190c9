import { join } from 'node:path';
import type { Clock, Log, Rng } from '@tapline/base';
import { createImageBuilder } from '@tapline/builder';
import { openImageKeys, rememberSignatures } from '@tapline/signatures';
import type { ControlPlaneConfiguration } from '../configuration.ts';
import type { DataFolder } from '../data-folder.ts';
import type { StartedRegistry } from '../registry/start-registry.ts';
import { createBuilderSource } from './builder-source.ts';
import { createPackageSource } from './create-package-source.ts';
import { createImageSource } from './image-source.ts';
import type { PackageSource } from './package-source.ts';

/** Where packages come from; disposing it ends what is being built. */
export interface OpenedPackageSource extends AsyncDisposable {
  readonly source: PackageSource;
  /** By which keys images are signed, as devices are told. */
  readonly trustedKeys: Awaited<ReturnType<typeof openImageKeys>>['trusted'];
}

/** Packages that are built from Homebrew's bottles and signed here, and images that a registry has. */
export async function openPackageSource(init: {
  readonly folder: Pick<DataFolder, 'buildCache' | 'imageKeys'>;
  readonly configuration: Pick<
    ControlPlaneConfiguration,
    'homebrew' | 'homebrewToken' | 'homebrewBasicToken'
  >;
  readonly registry: StartedRegistry;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
}): Promise<OpenedPackageSource> {
  const { clock, folder, registry } = init;
  const { homebrew, homebrewToken, homebrewBasicToken } = init.configuration;
  const keys = await openImageKeys(folder.imageKeys);
  const builder = createImageBuilder({
    ...init,
    store: registry.blobs,
    cacheDirectory: folder.buildCache,
    domains: homebrew,
    ...(homebrewToken !== undefined && { token: homebrewToken }),
    ...(homebrewBasicToken !== undefined && { basicToken: homebrewBasicToken }),
  });
  const signer = rememberSignatures(keys.signer, {
    directory: join(folder.buildCache, 'signatures'),
  });
  return {
    source: createPackageSource({
      homebrew: createBuilderSource({ ...registry, builder, registry, signer, clock }),
      images: createImageSource({ client: registry.client, clock }),
    }),
    trustedKeys: keys.trusted,
    [Symbol.asyncDispose]: () => builder[Symbol.asyncDispose](),
  };
}
