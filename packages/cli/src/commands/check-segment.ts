import { TaplineError } from '@tapline/base';
import { judgeSegment } from '../check/judge-segment.ts';
import { printCheck } from '../check/print-check.ts';
import { connect } from '../connection/connect.ts';
import { connectionFlags } from '../connection/connection-flags.ts';
import { type Command, defineCommand } from '../framework/command.ts';
import { fabricWatch } from '../segment/fabric-watch.ts';
import { verdictOfSegment } from '../segment/verdict-of-segment.ts';

export const checkSegment: Command = defineCommand({
  summary: 'For Icinga: whether no port of a segment reaches one that it must not',
  description:
    'A plugin: one line, and 0 for OK, 1 for warning, 2 for critical, 3 for unknown. It is proven from what the kernels of all nodes have at this moment, as `tapline segment verify` does.',
  examples: [{ command: 'tapline check segment news', explains: 'one segment' }],
  positionals: [{ name: 'NAME', description: 'of the segment', required: true }],
  plugin: true,
  flags: { ...connectionFlags },
  async run({ console, positionals: [name = ''], flags }) {
    const { client, context } = await connect(flags, console);
    const look = fabricWatch({ client, context, signal: console.signal });
    const { segments, verdict, silent } = await look();
    if (!segments.has(name)) {
      throw new TaplineError('not_found', `segment ${name} is on no node`, {
        hint: `see tapline explain segment ${name}`,
      });
    }
    const outcome = judgeSegment(name, verdictOfSegment(verdict, name), silent);
    return await printCheck(console, outcome);
  },
});
