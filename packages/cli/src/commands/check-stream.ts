import { channelResource } from '@tapline/resources';
import { channelPositional } from '../channel/channel-flags.ts';
import { judgeStream } from '../check/judge-stream.ts';
import { lookAtEdges } from '../check/look-at-edges.ts';
import { printCheck } from '../check/print-check.ts';
import { connect } from '../connection/connect.ts';
import { connectionFlags } from '../connection/connection-flags.ts';
import { type Command, defineCommand } from '../framework/command.ts';
import { durationFlag } from '../framework/flag.ts';

export const checkStream: Command = defineCommand({
  summary: 'For Icinga: how soon a channel begins for a player, and how late its live edge is',
  description:
    'A plugin: one line, and 0 for OK, 1 for warning, 2 for critical, 3 for unknown. Each edge of the channel is asked as a player asks that begins; a live one until its edge has moved.',
  examples: [
    { command: 'tapline check stream news', explains: 'from each of its edges' },
    { command: 'tapline check stream news --critical 3s', explains: 'sooner' },
  ],
  positionals: [channelPositional],
  plugin: true,
  flags: {
    warning: durationFlag('Warn where the first segment takes longer', { default: '2s' }),
    critical: durationFlag('Critical where it takes longer', { default: '5s' }),
    behindWarning: durationFlag('Warn where the live edge is later', { default: '2s' }),
    behindCritical: durationFlag('Critical where it is later', { default: '10s' }),
    timeout: durationFlag('How long an answer may take', { default: '10s' }),
    ...connectionFlags,
  },
  async run({ console, positionals: [name = ''], flags }) {
    const { clock, signal } = console;
    const { client } = await connect(flags, console);
    const channel = await client.get(channelResource, name, { signal });
    const behind = {
      warning: seconds(flags.behindWarning),
      critical: seconds(flags.behindCritical),
    };
    const sights = await lookAtEdges(channel, {
      behindSeconds: behind.critical,
      timeoutMs: flags.timeout,
      clock,
      signal,
    });
    const firstSegment = { warning: seconds(flags.warning), critical: seconds(flags.critical) };
    return await printCheck(console, judgeStream(sights, { firstSegment, behind }));
  },
});

function seconds(ms: number): number {
  return ms / 1000;
}
