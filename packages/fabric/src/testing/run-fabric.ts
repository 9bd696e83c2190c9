import { createInterface } from 'node:readline';
import { errorMessage, silentLog, systemClock } from '@tapline/base';
import { createFabric } from '../create-fabric.ts';
import { startHelper } from '../start-helper.ts';

/**
 * A node's fabric in a process that tests start without rights: `run-fabric.ts NAME SOCKET`. Each line is
 * an intent to apply, and gets a line of JSON with who it ran as, the outcome and what is left to do.
 */
const [node = '', socket = ''] = process.argv.slice(2);
await using fabric = createFabric({
  node,
  helper: startHelper({ socket }),
  clock: systemClock,
  log: silentLog,
  resyncMs: 600_000,
});
process.stdout.write('ready\n');
for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await apply(line))}\n`);
}

async function apply(line: string): Promise<unknown> {
  try {
    const outcome = await fabric.apply(JSON.parse(line));
    return { user: process.getuid?.(), outcome, left: await fabric.plan(JSON.parse(line)) };
  } catch (error) {
    return { error: errorMessage(error) };
  }
}
