import { TaplineError } from '@tapline/base';
import type { ResourceClient } from '@tapline/client';
import { channelEdgeResource, nodeResource, workloadResource } from '@tapline/resources';
import { connect } from '../connection/connect.ts';
import { connectionFlags } from '../connection/connection-flags.ts';
import { type Command, defineCommand } from '../framework/command.ts';
import type { Console } from '../framework/console.ts';
import { exitCode } from '../framework/exit-code.ts';
import { booleanFlag, durationFlag } from '../framework/flag.ts';
import { textOrJsonFlag } from '../output/output-flags.ts';

const lookEveryMs = 100;

export const nodeDrain: Command = defineCommand({
  summary: 'Have the workloads of a node run elsewhere, and keep new ones away',
  description:
    'Each replica leaves when as many others are ready as there have to be, so nothing is missed. Where no other node has room it stays, and the command says so. With --undo the node takes workloads again.',
  examples: [
    { command: 'tapline node drain edge-1', explains: 'before it is switched off' },
    { command: 'tapline node drain edge-1 --undo', explains: 'when it is back' },
  ],
  positionals: [{ name: 'NODE', description: 'the node', required: true, complete: 'devices' }],
  flags: {
    undo: booleanFlag('Let workloads come again'),
    timeout: durationFlag('How long to wait for the last one to leave', { default: '5m' }),
    output: textOrJsonFlag,
    ...connectionFlags,
  },
  async run({ console, positionals, flags }) {
    const [name = ''] = positionals;
    const { client } = await connect(flags, console);
    const body = { spec: { draining: flags.undo ? null : true } };
    const { signal } = console;
    await client.patch(nodeResource, name, { kind: 'merge', body }, { signal });
    const say = (text: string, result: object): number => {
      const isJson = flags.output === 'json';
      console.write(isJson ? `${JSON.stringify({ node: name, ...result })}\n` : `${text}\n`);
      return exitCode.ok;
    };
    if (flags.undo) return say(`node ${name} takes workloads again`, { draining: false });
    const fromMs = console.clock.monotonic();
    let told = '';
    for (;;) {
      const left = await workloadsOf(client, name, console);
      const ms = console.clock.monotonic() - fromMs;
      if (left.length === 0) {
        const seconds = Math.round(ms) / 1000;
        return say(`node ${name} is drained`, { draining: true, drained: true, seconds });
      }
      if (told !== left.join(', ')) console.note(`${name}: ${left.join(', ')} to leave\n`);
      told = left.join(', ');
      if (ms > flags.timeout) {
        throw new TaplineError(
          'timed_out',
          `node ${name} still has ${left.join(', ')} after ${Math.round(ms / 1000)} s`,
          { hint: 'see with `tapline describe workload` why they have no other node' },
        );
      }
      await console.clock.sleep(lookEveryMs, { signal });
    }
  },
});

async function workloadsOf(
  client: ResourceClient,
  node: string,
  { signal }: Console,
): Promise<readonly string[]> {
  const { items } = await client.list(workloadResource, { signal });
  const placed = items
    .filter(({ status }) => status?.placements?.some((one) => one.node === node) === true)
    .map(({ metadata }) => metadata.name);
  // A channel that has moved serves the players there until they have, too.
  const fieldSelector = `spec.node=${node}`;
  const edges = await client.list(channelEdgeResource, { fieldSelector, signal });
  return [...placed, ...edges.items.map(({ spec }) => `players of channel ${spec.channel}`)];
}
