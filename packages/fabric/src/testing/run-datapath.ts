import { createInterface } from 'node:readline';
import { errorMessage } from '@tapline/base';
import { UserSpaceDatapath } from '../userspace/user-space-datapath.ts';

/**
 * A node of tests: `run-datapath.ts NAME` in its network namespace. Each line on standard input is an
 * intent to apply, or `counters`; each gets a line of JSON as its answer.
 */
await using datapath = await UserSpaceDatapath.start({ node: process.argv[2] ?? '' });
process.stdout.write('ready\n');
for await (const line of createInterface({ input: process.stdin })) {
  try {
    const answer =
      line === 'counters' ? await datapath.counters() : await datapath.apply(JSON.parse(line));
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  } catch (error) {
    process.stdout.write(`${JSON.stringify({ error: errorMessage(error) })}\n`);
  }
}
