import { startRegistry } from '@tapline/registry';

/**
 * The registry in a process of its own, for benchmarks: prints `listening <port>`. SIGUSR2 collects
 * garbage without a grace time, and prints `collected <blobs> <ms>` at its end.
 */
const [directory = ''] = process.argv.slice(2);
const registry = await startRegistry({ directory, authorize: () => 'allowed' });
process.on('SIGUSR2', () => {
  void collect();
});

async function collect(): Promise<void> {
  const { blobs, durationMs } = await registry.admin.collect({ graceMs: 0 });
  process.stdout.write(`collected ${blobs} ${Math.round(durationMs)}\n`);
}

process.stdout.write(`listening ${registry.port}\n`);
