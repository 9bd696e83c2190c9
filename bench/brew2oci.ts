import { spawnSync } from 'node:child_process';
import { measureGitBuild } from './brew2oci/build-git.ts';
import { measurePlanning } from './brew2oci/plan-every-image.ts';
import type { Measurement } from './result.ts';

/** Building an image from bottles that are here, and planning every image there could be. */
export async function benchmarkBrew2oci(): Promise<Measurement> {
  const { stdout } = spawnSync('gzip', ['--version'], { encoding: 'utf8' });
  return {
    versions: { gzip: stdout.split('\n')[0] ?? '' },
    rows: [...(await measureGitBuild()), ...measurePlanning()],
  };
}
