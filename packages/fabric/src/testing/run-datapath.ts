import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { errorMessage, silentLog, systemClock } from '@tapline/base';
import { wireguardName } from '@tapline/segments';
import { createFabric } from '../create-fabric.ts';
import { startHelper } from '../start-helper.ts';
import { openSocketDatapath } from '../sockets/socket-datapath.ts';
import { openUserSpaceFabric } from '../userspace/user-space-fabric.ts';

/**
 * A node of tests: `run-datapath.ts NAME [FOLDER [PORTS]]` in its network namespace, with keys in the
 * folder unless it is empty, and with ports that are sockets in the second folder.
 * Each line on standard input is an intent to apply, `metrics`, `observe`, `keys` or `seal` with a list; each
 * gets a line of JSON as its answer.
 */
const [node = '', folder = '', ports] = process.argv.slice(2);
const clock = systemClock;
const helper =
  folder === ''
    ? undefined
    : startHelper({
        wireguardKeyFile: join(folder, `${node}.wireguard`),
        agreementKeyFile: join(folder, `${node}.agreement`),
      });
const underlay =
  helper && createFabric({ node, helper, clock, log: silentLog, layout: 'underlay' });
await using fabric = await openUserSpaceFabric({
  node,
  clock,
  underlayMtu: 1500,
  ...(underlay !== undefined && { underlay }),
  ...(ports !== undefined && {
    datapath: openSocketDatapath({
      node,
      folder: ports,
      deviceOf: (path) => (path === 'inside' ? wireguardName : undefined),
    }),
  }),
});
process.stdout.write('ready\n');
for await (const line of createInterface({ input: process.stdin })) {
  try {
    process.stdout.write(`${JSON.stringify(await answer(line))}\n`);
  } catch (error) {
    process.stdout.write(`${JSON.stringify({ error: errorMessage(error) })}\n`);
  }
}

async function answer(line: string): Promise<unknown> {
  if (line === 'observe') return await fabric.observe();
  if (line === 'metrics') return await fabric.metrics();
  if (line === 'keys') return await fabric.keys();
  if (line.startsWith('seal ')) return await fabric.sealKeys(JSON.parse(line.slice(5)));
  return await fabric.apply(JSON.parse(line));
}
