import { TaplineError } from '@tapline/base';
import { channelResource, findCondition } from '@tapline/resources';
import { channelPositional, formatFlag } from '../channel/channel-flags.ts';
import { connect } from '../connection/connect.ts';
import { connectionFlags } from '../connection/connection-flags.ts';
import { type Command, defineCommand } from '../framework/command.ts';
import { exitCode } from '../framework/exit-code.ts';
import { booleanFlag } from '../framework/flag.ts';

export const channelUrl: Command = defineCommand({
  summary: 'Print where players begin with a channel',
  description:
    'The playlist there names every edge, so a player that has begun goes on at another one when its edge is gone. With --all the same of each edge that serves: what a name in DNS could lead to.',
  examples: [
    { command: 'tapline channel url news', explains: 'for a player' },
    { command: 'tapline channel url news --all', explains: 'one for each edge' },
  ],
  positionals: [channelPositional],
  flags: {
    all: booleanFlag('Of each edge that serves it'),
    output: formatFlag,
    ...connectionFlags,
  },
  async run({ console, positionals: [name = ''], flags }) {
    const { client } = await connect(flags, console);
    const { status } = await client.get(channelResource, name, { signal: console.signal });
    if (status?.url === undefined) {
      const { message = 'it is not looked at yet' } =
        findCondition(status?.conditions, 'Ready') ?? {};
      throw new TaplineError('not_served', `channel ${name} is served by no edge: ${message}`, {
        hint: `look at it with \`tapline describe channel ${name}\``,
      });
    }
    const { pathname } = new URL(status.url);
    const entry = pathname.slice(pathname.lastIndexOf(`/${name}/`));
    const urls = (status.edges ?? []).flatMap(({ state, url }) =>
      url !== undefined && ['Serving', 'Ready'].includes(state) ? [`${url}${entry}`] : [],
    );
    if (flags.output === 'json') {
      console.write(`${JSON.stringify({ url: status.url, edges: urls })}\n`);
      return exitCode.ok;
    }
    for (const url of flags.all ? urls : [status.url]) console.write(`${url}\n`);
    return exitCode.ok;
  },
});
