import { startRegistry } from '@tapline/registry';

/** The registry in a process of its own, for benchmarks: prints `listening <port>`. */
const [directory = ''] = process.argv.slice(2);
const registry = await startRegistry({ directory, authorize: () => 'allowed' });
process.stdout.write(`listening ${registry.port}\n`);
// A line on the standard input collects garbage; the answer says how long that took.
process.on('message', (graceMs: number) => {
  void registry.admin.collect({ graceMs }).then((report) => process.send?.(report.durationMs));
});
