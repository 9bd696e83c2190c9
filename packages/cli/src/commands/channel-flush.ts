import { channelResource } from '@tapline/resources';
import { awaitChannel, hasSeen } from '../channel/await-channel.ts';
import { channelPositional, formatFlag } from '../channel/channel-flags.ts';
import { connect } from '../connection/connect.ts';
import { connectionFlags } from '../connection/connection-flags.ts';
import { type Command, defineCommand } from '../framework/command.ts';
import { exitCode } from '../framework/exit-code.ts';
import { booleanFlag, durationFlag, textFlag } from '../framework/flag.ts';

export const channelFlush: Command = defineCommand({
  summary: 'Have the caches of a channel forget what they keep of it',
  description:
    'Waits until every edge has done so: no answer of what was kept before goes out any more. An edge that is away does it when it is back.',
  examples: [
    { command: 'tapline channel flush news', explains: 'all of it' },
    {
      command: 'tapline channel flush news --path hd/seg-17.ts --soft',
      explains: 'one object, which may stand in while the origin fails',
    },
  ],
  positionals: [channelPositional],
  flags: {
    path: textFlag("Only this, below the channel's prefix", { valueName: 'PATH' }),
    soft: booleanFlag('Keep it for when the origin fails'),
    timeout: durationFlag('How long to wait for the edges', { default: '30s' }),
    output: formatFlag,
    ...connectionFlags,
  },
  async run({ console, positionals: [name = ''], flags }) {
    const { client } = await connect(flags, console);
    const { signal } = console;
    const { spec } = await client.get(channelResource, name, { signal });
    const generation = spec.flush.generation + 1;
    const flush = { generation, soft: flags.soft, path: flags.path ?? null };
    const body = { spec: { flush } };
    await client.patch(channelResource, name, { kind: 'merge', body }, { signal });
    const { status } = await awaitChannel(client, name, {
      what: 'was flushed',
      done: (channel) => hasSeen(channel) && (channel.status?.flushed ?? 0) >= generation,
      timeoutMs: flags.timeout,
      console,
    });
    const edges = status?.edges?.length ?? 0;
    console.write(
      flags.output === 'json'
        ? `${JSON.stringify({ flushed: true, generation, edges })}\n`
        : `flushed on ${edges} edges\n`,
    );
    return exitCode.ok;
  },
});
