import { createInterface } from 'node:readline';
import { errorMessage, systemClock } from '@tapline/base';
import { openUserSpaceFabric } from '../userspace/user-space-fabric.ts';

/**
 * A node of tests: `run-datapath.ts NAME` in its network namespace. Each line on standard input is an
 * intent to apply, or `metrics`; each gets a line of JSON as its answer.
 */
const node = process.argv[2] ?? '';
await using fabric = await openUserSpaceFabric({ node, clock: systemClock, underlayMtu: 1500 });
process.stdout.write('ready\n');
for await (const line of createInterface({ input: process.stdin })) {
  try {
    const answer =
      line === 'metrics' ? await fabric.metrics() : await fabric.apply(JSON.parse(line));
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  } catch (error) {
    process.stdout.write(`${JSON.stringify({ error: errorMessage(error) })}\n`);
  }
}
