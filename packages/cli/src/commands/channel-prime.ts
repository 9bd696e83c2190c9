import { readFile } from 'node:fs/promises';
import { systemRng, TaplineError } from '@tapline/base';
import { type Channel, channelResource, type ChannelSpec, findCondition } from '@tapline/resources';
import { awaitChannel, hasSeen } from '../channel/await-channel.ts';
import { channelPositional, formatFlag } from '../channel/channel-flags.ts';
import { inTrace } from '../delivery/command-trace.ts';
import { connect } from '../connection/connect.ts';
import { connectionFlags } from '../connection/connection-flags.ts';
import { type Command, defineCommand } from '../framework/command.ts';
import { exitCode } from '../framework/exit-code.ts';
import { durationFlag, textFlag, textFlagWithDefault } from '../framework/flag.ts';

type PrimeObjects = NonNullable<ChannelSpec['prime']['objects']>;

const mostObjects = 5000;

export const channelPrime: Command = defineCommand({
  summary: 'Fill the caches of a channel with what players will ask for',
  description:
    'What its playlists name newest, and with --log or --list what is popular: bytes sent by size, as an access log has it, or a list with the most popular first. The most popular is put on every edge, the rest on fewer. Edges fetch in the background and no faster than spec.prime.bytesPerSecond.',
  examples: [
    { command: 'tapline channel prime news', explains: 'once more' },
    {
      command: 'tapline channel prime films --log access.log --prefix /films/',
      explains: 'by what was asked for before, in the common log format',
    },
    { command: 'tapline channel prime films --list top.txt', explains: 'a path a line' },
  ],
  positionals: [channelPositional],
  flags: {
    log: textFlag('An access log in the common or combined format', { valueName: 'FILE' }),
    prefix: textFlag('What paths in it begin with; absent /CHANNEL/', { valueName: 'PATH' }),
    list: textFlag('Paths, the most popular first', { valueName: 'FILE' }),
    rate: textFlagWithDefault('Bytes a second of each edge; 0 leaves it as it is', {
      valueName: 'BYTES',
      default: '0',
    }),
    timeout: durationFlag('How long to wait for the edges', { default: '10m' }),
    output: formatFlag,
    ...connectionFlags,
  },
  async run({ console, positionals: [name = ''], flags }) {
    if (flags.log !== undefined && flags.list !== undefined) {
      throw new TaplineError('usage', '--log and --list are two ways to say what is popular');
    }
    const rate = Number(flags.rate);
    if (!Number.isSafeInteger(rate) || (rate !== 0 && rate < 1024)) {
      throw new TaplineError('usage', `--rate ${flags.rate} is no number of 1024 or more`);
    }
    const objects =
      flags.log !== undefined
        ? await byLog(flags.log, flags.prefix ?? `/${name}/`)
        : flags.list === undefined
          ? undefined
          : await byList(flags.list);
    const { client } = await connect(flags, console);
    const { signal } = console;
    const { spec } = await client.get(channelResource, name, { signal });
    const prime = {
      generation: spec.prime.generation + 1,
      ...(objects !== undefined && { objects }),
      ...(rate !== 0 && { bytesPerSecond: rate }),
    };
    const { status } = await inTrace(
      'tapline channel prime',
      { console, rng: systemRng },
      async (trace) => {
        const patch = { kind: 'merge', body: { spec: { prime } } } as const;
        await trace.measure('accepted', () =>
          client.patch(channelResource, name, patch, { signal }),
        );
        const wanted = { what: 'was primed', done: isPrimed, timeoutMs: flags.timeout, console };
        return await trace.measure('primed', () => awaitChannel(client, name, wanted));
      },
    );
    const { objects: count = 0, bytes = 0, failed = 0 } = status?.primed ?? {};
    console.write(
      flags.output === 'json'
        ? `${JSON.stringify({ primed: true, objects: count, bytes, failed })}\n`
        : `primed: ${count} objects of ${bytes} bytes on all edges together, ${failed} failed\n`,
    );
    return exitCode.ok;
  },
});

function isPrimed(channel: Channel): boolean {
  const primed = findCondition(channel.status?.conditions, 'Primed');
  return hasSeen(channel) && primed?.status === 'True';
}

async function byLog(path: string, prefix: string): Promise<PrimeObjects> {
  const { rankByPopularity, servedByLog } = await import('@tapline/edge-cache');
  const ranked = rankByPopularity(servedByLog(await read(path), { prefix }), { most: mostObjects });
  if (ranked.length > 0) return [...ranked];
  throw new TaplineError('usage', `${path} holds no answered GET below ${prefix}`, {
    hint: 'write --prefix as paths in the log begin, such as /live/',
  });
}

async function byList(path: string): Promise<PrimeObjects> {
  const paths = (await read(path))
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  if (paths.length === 0 || paths.length > mostObjects) {
    throw new TaplineError(
      'usage',
      `${path} holds ${paths.length} paths; it must be 1 to ${mostObjects}`,
    );
  }
  return paths.map((one, at) => ({ path: one, popularity: 1 / (at + 1) }));
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new TaplineError('usage', `${path} cannot be read`, { cause });
  }
}
