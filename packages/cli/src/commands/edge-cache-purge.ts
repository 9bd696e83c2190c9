import { TaplineError } from '@tapline/base';
import { askEdge } from '../edge/admin-socket.ts';
import { defineCommand, type Command } from '../framework/command.ts';
import { exitCode } from '../framework/exit-code.ts';
import { booleanFlag, requiredTextFlag, textFlag } from '../framework/flag.ts';

export const edgeCachePurge: Command = defineCommand({
  summary: 'Forget what an edge keeps: by tag, by address, of a channel, or all',
  examples: [
    {
      command: 'tapline edge-cache purge news --tag show-7 --admin /run/tapline-edge.sock',
      explains: 'all of the channel news that carries the tag',
    },
    {
      command: 'tapline edge-cache purge news --url /news/live.m3u8 --admin /run/tapline-edge.sock',
      explains: 'one address, in all its variants',
    },
    {
      command: 'tapline edge-cache purge news --soft --admin /run/tapline-edge.sock',
      explains: 'the whole channel becomes stale and is renewed as it is asked for',
    },
  ],
  positionals: [{ name: 'CHANNEL', description: 'whose; without it all', required: false }],
  flags: {
    admin: requiredTextFlag('The socket of the edge', { valueName: 'PATH' }),
    tag: textFlag('Only what carries this tag', { valueName: 'TAG' }),
    url: textFlag('Only this path and query', { valueName: 'PATH' }),
    soft: booleanFlag('It may serve until the origin has answered anew, or while it is away'),
  },
  async run({ console, positionals: [channel], flags }) {
    const { tag, url: target } = flags;
    if (tag !== undefined && target !== undefined) {
      throw new TaplineError('usage', 'give either --tag or --url');
    }
    if (channel === undefined && (tag ?? target) !== undefined) {
      throw new TaplineError('usage', '--tag and --url are of a channel: name it');
    }
    const kind =
      tag !== undefined
        ? 'tag'
        : target !== undefined
          ? 'url'
          : channel === undefined
            ? 'all'
            : 'channel';
    const mode = flags.soft ? 'soft' : 'hard';
    const body = { kind, mode, channel, tag, target };
    await askEdge(flags.admin, { method: 'POST', path: '/v1/purge', body });
    console.write('purged\n');
    return exitCode.ok;
  },
});
