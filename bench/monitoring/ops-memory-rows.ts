import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { deviceResource } from '@tapline/resources';
import { bundlePrograms, temporaryFolder } from '@tapline/testing';
import { startControlPlaneProcess } from '../../tests/support/control-plane-process.ts';
import { benchmarkRow, type BenchmarkRow } from '../result.ts';

const hosts = 1000;
const checks = 10;
const atOnce = 16;

/** How large an OpsBot is that hears of so many services, in a process of its own. */
export async function opsMemoryRows(): Promise<readonly BenchmarkRow[]> {
  await using folder = await temporaryFolder();
  await using plane = await startControlPlaneProcess(folder.path, { TAPLINE_OPSBOT: 'shared' });
  const names = Array.from({ length: hosts }, (_, at) => `edge-${at}`).values();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const name of names) {
        const metadata = { name, labels: { zone: `zone-${name.length}` } };
        const spec = { platform: 'linux/amd64', role: 'node' } as const;
        await plane.client.create(deviceResource, { metadata, spec });
      }
    }),
  );
  // As it is shipped: types that are stripped at the start take a hundred megabytes for themselves.
  const source = join(import.meta.dirname, 'ops-listener.ts');
  await using bundled = await bundlePrograms({ listener: source });
  const listener = join(bundled.path, 'listener.js');
  // The flag and the C library's settings that `tapline ops replica` has.
  const flags = ['--max-semi-space-size=1'];
  const settings = {
    MALLOC_ARENA_MAX: '1',
    MALLOC_TRIM_THRESHOLD_: '131072',
    MALLOC_MMAP_THRESHOLD_: '65536',
  };
  const words = [...flags, listener, plane.kubeconfig, String(hosts), String(checks)];
  const { stdout } = await promisify(execFile)(process.execPath, words, {
    timeout: 120_000,
    env: { ...process.env, ...settings },
  });
  const { now, peak } = JSON.parse(stdout) as { readonly now: number; readonly peak: number };
  return [
    benchmarkRow({
      metric: `resident memory of an OpsBot that hears of ${hosts * checks} services of ${hosts} nodes`,
      unit: 'MiB',
      better: 'lower',
      ours: now / 2 ** 20,
      peers: {},
      goal: 150,
      goalOn: 'ours',
      note: `${Math.round(peak / 2 ** 20)} MiB at its peak; with its copies of 1,000 devices and nodes, after every twentieth failed five times`,
    }),
  ];
}
