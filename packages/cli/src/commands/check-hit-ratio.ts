import { channelResource } from '@tapline/resources';
import { channelPositional } from '../channel/channel-flags.ts';
import { judgeHitRatio } from '../check/judge-hit-ratio.ts';
import { printCheck } from '../check/print-check.ts';
import { connect } from '../connection/connect.ts';
import { connectionFlags } from '../connection/connection-flags.ts';
import { type Command, defineCommand } from '../framework/command.ts';
import { integerFlag } from '../framework/flag.ts';

export const checkHitRatio: Command = defineCommand({
  summary: 'For Icinga: how much of what players ask the caches of a channel answer',
  description:
    'A plugin: one line, and 0 for OK, 1 for warning, 2 for critical, 3 for unknown. Limits are in percent; 0 takes the objective of the channel, and four fifths of it.',
  examples: [
    { command: 'tapline check hit-ratio news', explains: 'by its objective' },
    { command: 'tapline check hit-ratio news --warning 95 --critical 80', explains: 'by others' },
  ],
  positionals: [channelPositional],
  plugin: true,
  flags: {
    warning: integerFlag('Warn below so many percent', { min: 0, max: 100, default: 0 }),
    critical: integerFlag('Critical below so many percent', { min: 0, max: 100, default: 0 }),
    ...connectionFlags,
  },
  async run({ console, positionals: [name = ''], flags }) {
    const { client } = await connect(flags, console);
    const channel = await client.get(channelResource, name, { signal: console.signal });
    const limits = { warning: share(flags.warning), critical: share(flags.critical) };
    return await printCheck(console, judgeHitRatio(channel, limits));
  },
});

function share(percent: number): number | undefined {
  return percent === 0 ? undefined : percent / 100;
}
