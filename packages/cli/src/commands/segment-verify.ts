import { TaplineError } from '@tapline/base';
import { attachmentResource } from '@tapline/resources';
import { connect } from '../connection/connect.ts';
import { connectionFlags } from '../connection/connection-flags.ts';
import { type Command, defineCommand } from '../framework/command.ts';
import { exitCode } from '../framework/exit-code.ts';
import { textFlagWithDefault } from '../framework/flag.ts';
import { readNodeStates } from '../segment/node-states.ts';
import { verdictOfSegment } from '../segment/verdict-of-segment.ts';

export const segmentVerify: Command = defineCommand({
  summary: 'Prove from what the kernels have that no port reaches one that it must not',
  description:
    'Every node is asked for what its kernel has at this moment: links, rules, filters, tunnels. From that alone the ways of frames are worked out, and compared with who may reach whom. Ends with 1 where something is open, and with 4 where something could not be proven.',
  examples: [
    { command: 'tapline segment verify', explains: 'all segments' },
    { command: 'tapline segment verify news', explains: 'one of them' },
    { command: 'tapline segment verify -o json', explains: 'with the certificate, for programs' },
  ],
  positionals: [{ name: 'NAME', description: 'a segment; all where absent', required: false }],
  flags: {
    output: textFlagWithDefault('How to print it', {
      short: 'o',
      valueName: 'FORMAT',
      choices: ['text', 'json'],
      default: 'text',
    }),
    ...connectionFlags,
  },
  async run({ console, positionals: [name], flags }) {
    const { client, context } = await connect(flags, console);
    const { signal } = console;
    const { items } = await client.list(attachmentResource, { signal });
    if (name !== undefined && !items.some(({ spec }) => spec.segment === name)) {
      throw new TaplineError('not_found', `segment ${name} is on no node`, {
        hint: `see tapline explain segment ${name}`,
      });
    }
    const { claimOf } = await import('@tapline/agent');
    const { formatVerdict, verifyFabric } = await import('@tapline/segments');
    const claim = claimOf(items);
    const nodes = claim.nodes.map((node) => node.name);
    const { states, silent } = await readNodeStates(context, nodes, { signal });
    const whole = verifyFabric(claim, states);
    const verdict = name === undefined ? whole : verdictOfSegment(whole, name);
    if (flags.output === 'json') console.write(`${JSON.stringify(verdict, undefined, 2)}\n`);
    else console.write(formatVerdict(verdict));
    for (const { node, why } of silent) console.note(`node ${node} was not asked: ${why}\n`);
    switch (verdict.result) {
      case 'open':
        return exitCode.failed;
      case 'unproven':
        return exitCode.notReady;
      case 'verified':
      case 'degraded':
        return exitCode.ok;
    }
  },
});
