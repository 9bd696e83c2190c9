import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { sharedDataFile } from '../../packages/testing/src/index.ts';
import { type BenchmarkRow, benchmarkRow } from '../result.ts';

interface Planned {
  readonly seconds: number;
  readonly maxRssBytes: number;
  readonly images: number;
  readonly unresolved: number;
  readonly overCap: number;
  readonly merged: number;
  readonly references: { readonly unbounded: number; readonly bounded: number };
  readonly uniqueLayers: { readonly unbounded: number; readonly bounded: number };
  readonly groups: number;
  readonly addedShare: number;
}

/** Planning the image of every formula of homebrew-core, for both platforms. */
export function measurePlanning(): readonly BenchmarkRow[] {
  const script = join(import.meta.dirname, 'plan-homebrew-core.ts');
  const data = sharedDataFile('homebrew-core.json.gz');
  if (data === undefined) throw new Error('shared/data/homebrew-core.json.gz is not here');
  const run = spawnSync(process.execPath, [script, data], { encoding: 'utf8' });
  if (run.status !== 0) throw new Error(`planning ended with ${run.status}: ${run.stderr}`);
  const found = JSON.parse(run.stdout) as Planned;
  const { references, uniqueLayers, merged, groups } = found;
  const bound = { better: 'lower', peers: {}, goalOn: 'ours' } as const;
  return [
    benchmarkRow({
      ...bound,
      metric: `plan all ${found.images} images of homebrew-core`,
      unit: 's',
      ours: found.seconds,
      goal: 10,
    }),
    benchmarkRow({
      ...bound,
      metric: 'memory at its most, planning them',
      unit: 'GB',
      ours: found.maxRssBytes / 1e9,
      goal: 1,
    }),
    benchmarkRow({
      ...bound,
      metric: 'closures unresolved',
      unit: '',
      ours: found.unresolved,
      goal: 0,
    }),
    benchmarkRow({
      ...bound,
      metric: 'images above 120 layers',
      unit: '',
      ours: found.overCap,
      goal: 0,
      note: `${merged} have merged layers, of ${groups} groups`,
    }),
    benchmarkRow({
      metric: 'layers that all images refer to',
      unit: '',
      better: 'lower',
      ours: references.bounded,
      peers: { 'no bound': references.unbounded },
    }),
    benchmarkRow({
      metric: 'different layers of formulae',
      unit: '',
      better: 'lower',
      ours: uniqueLayers.bounded,
      peers: { 'no bound': uniqueLayers.unbounded },
      note: `${(found.addedShare * 100).toFixed(1)} % more bytes, were all formulae equally large`,
    }),
  ];
}
