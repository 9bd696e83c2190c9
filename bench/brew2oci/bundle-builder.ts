import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';

const packages = join(import.meta.dirname, '../../packages');

interface BundledBuilder {
  readonly createImageBuilder: typeof import('../../packages/builder/src/index.ts').createImageBuilder;
  readonly FileBlobStore: typeof import('../../packages/registry/src/index.ts').FileBlobStore;
}

/**
 * The builder as `./tapline` has it, in `directory`: from the sources, each of its threads would load
 * a compiler of types first.
 */
export async function bundleBuilder(directory: string): Promise<BundledBuilder> {
  await using bundle = await rolldown({
    input: {
      builder: join(packages, 'builder/src/index.ts'),
      'layer-thread': join(packages, 'builder/src/layer-thread.ts'),
      registry: join(packages, 'registry/src/index.ts'),
      'catalog-thread': join(packages, 'registry/src/catalog/catalog-thread.ts'),
    },
    platform: 'node',
    logLevel: 'warn',
  });
  await bundle.write({
    dir: directory,
    format: 'esm',
    minify: { compress: true, mangle: false },
    chunkFileNames: '[name]-[hash].js',
  });
  const load = (name: string): Promise<unknown> =>
    import(pathToFileURL(join(directory, `${name}.js`)).href);
  const { createImageBuilder } = (await load('builder')) as BundledBuilder;
  const { FileBlobStore } = (await load('registry')) as BundledBuilder;
  return { createImageBuilder, FileBlobStore };
}
