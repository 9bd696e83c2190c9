import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../packages/base/src/index.ts';
import { homebrewDomains } from '../../packages/brew/src/index.ts';
import { startBottleMirror } from '../../tools/bottle-mirror/bottle-mirror.ts';
import { quantile } from '../quantile.ts';
import { type BenchmarkRow, benchmarkRow } from '../result.ts';
import { timeCommand } from '../run-command.ts';
import { bundleBuilder } from './bundle-builder.ts';

const rounds = 5;
const platforms = [
  { os: 'linux', architecture: 'amd64' },
  { os: 'linux', architecture: 'arm64' },
];

/** Building git's image from bottles that are here, beside what cannot be saved of it. */
export async function measureGitBuild(): Promise<readonly BenchmarkRow[]> {
  const folder = await mkdtemp(join(tmpdir(), 'tapline-bench-brew2oci-'));
  await using cleanUp = new AsyncDisposableStack();
  cleanUp.defer(() => rm(folder, { recursive: true, force: true }));
  const { createImageBuilder, FileBlobStore } = await bundleBuilder(join(folder, 'bundle'));
  const mirror = cleanUp.use(await startBottleMirror({ formulae: ['git'] }));
  const cacheDirectory = join(folder, 'cache');
  const layers = join(cacheDirectory, 'layers');
  const content = join(folder, 'store');

  async function build(compression: 'gzip' | 'zstd'): Promise<number> {
    await rm(content, { recursive: true, force: true });
    await rm(layers, { recursive: true, force: true });
    const store = await FileBlobStore.open(content);
    await using builder = createImageBuilder({
      store,
      cacheDirectory,
      domains: homebrewDomains(mirror.environment),
      clock: systemClock,
    });
    const begin = performance.now();
    await builder.build({ formula: 'git', platforms, compression });
    return performance.now() - begin;
  }
  // The first build fetches the bottles, and is not counted.
  await build('gzip');
  const bottles = join(cacheDirectory, 'bottles', 'sha256');
  const files = (await readdir(bottles)).map((name) => join(bottles, name));
  const script = 'gzip -dc "$@" | sha256sum';
  const floors: number[] = [];
  const builds: number[] = [];
  const zstdBuilds: number[] = [];
  // In turn, so that others of the machine disturb all alike.
  for (let round = 0; round < rounds; round += 1) {
    floors.push(await timeCommand('sh', ['-c', script, 'sh', ...files]));
    builds.push(await build('gzip'));
    zstdBuilds.push(await build('zstd'));
  }
  const row = (metric: string, ours: readonly number[], goal?: number): BenchmarkRow =>
    benchmarkRow({
      metric,
      unit: 's',
      better: 'lower',
      ours: quantile(ours, 0.5) / 1000,
      peers: { 'gzip -dc | sha256sum': quantile(floors, 0.5) / 1000 },
      ...(goal !== undefined && { goal, goalOn: 'ratio' }),
      note: `${files.length} bottles, two platforms, bundled as ./tapline is, median of ${rounds}`,
    });
  return [row("build git's image, gzip", builds, 1.5), row("build git's image, zstd", zstdBuilds)];
}
