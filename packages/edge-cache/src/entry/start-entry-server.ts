import { createServer, type ServerResponse } from 'node:http';
import { errorMessage, isTaplineError, type Log, TaplineError } from '@tapline/base';
import { defaultPlaylistLimits, parsePlaylist } from '@tapline/hls';
import {
  type ChannelEntry,
  entryFolder,
  entryPlaylist,
  steeringManifest,
} from './channel-entry.ts';
import { entryText, steeringText } from './entry-playlist.ts';

/** A channel with an entry. */
export interface EntryChannel {
  readonly prefix: string;
  readonly entry: ChannelEntry;
}

export interface EntryServer extends AsyncDisposable {
  /** What the edge asks for everything below a channel's entry folder. */
  readonly url: string;
  /** Which channels there are from now on. */
  configure(channels: readonly EntryChannel[]): void;
}

const fetchMs = 10_000;
const pathwayName = /^[A-Za-z0-9._-]{1,253}$/;

/**
 * Makes the playlists that players begin with. It is an origin of the edge beside it, on loopback, so
 * that they are cached and collapsed as everything else is; it asks that edge for the origin's.
 */
export async function startEntryServer(init: {
  /** Names this edge among the pathways. */
  readonly name: string;
  readonly edgeUrl: () => string;
  readonly log: Log;
}): Promise<EntryServer> {
  let channels: readonly EntryChannel[] = [];
  const texts = new Map<string, string>();

  async function playlistOf({ entry, prefix }: EntryChannel): Promise<string> {
    const text = await fetchText(`${init.edgeUrl()}${prefix}${entry.playlist}`);
    texts.set(prefix, text);
    return text;
  }

  /** An origin that fails now is no reason to leave players without a way. */
  async function newerWays(
    channel: EntryChannel,
    on: string,
  ): Promise<{ readonly on?: string; readonly text?: string }> {
    try {
      // Not asked for each time: the edge would count that as a player's request.
      const text = texts.get(channel.prefix) ?? (await playlistOf(channel));
      parsePlaylist(text);
      return { on, text };
    } catch (error) {
      init.log.info('players are not told of newer ways', { error: errorMessage(error) });
      return {};
    }
  }

  async function answer(target: string, response: ServerResponse): Promise<void> {
    const path = target.split('?', 1)[0] ?? '';
    const channel = channels.find(({ prefix }) => path.startsWith(`${prefix}${entryFolder}`));
    const file = channel === undefined ? '' : path.slice(`${channel.prefix}${entryFolder}`.length);
    if (channel === undefined || (file !== entryPlaylist && file !== steeringManifest)) {
      throw new TaplineError('not_found', 'nothing is there');
    }
    const { entry, prefix } = channel;
    const about = { prefix, first: init.name };
    if (file === steeringManifest) {
      // RFC 8216bis §7.3: a player says which way it is on; one that is well stays on it.
      const on = new URL(target, 'http://edge').searchParams.get('_HLS_pathway');
      const known = on?.replaceAll('"', '') ?? '';
      const isThere = entry.pathways.some(({ id }) => id === known);
      const ways = { prefix, first: isThere ? known : init.name };
      const begun = pathwayName.test(known) ? await newerWays(channel, known) : {};
      send(response, 'application/json', steeringText(entry, { ...ways, ...begun }));
      return;
    }
    const text = await playlistOf(channel);
    send(response, 'application/vnd.apple.mpegurl', entryText(text, { ...about, entry }));
  }

  const server = createServer((request, response) => {
    answer(request.url ?? '/', response).catch((error: unknown) => {
      const missing = isTaplineError(error, 'not_found');
      if (!missing) init.log.warn('no entry to a channel', { error: errorMessage(error) });
      response.statusCode = missing ? 404 : 502;
      response.setHeader('cache-control', 'max-age=1');
      response.end(`${errorMessage(error)}\n`);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    configure(next) {
      channels = next;
      texts.clear();
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => void server.close(() => resolve()));
    },
  };
}

function send(response: ServerResponse, type: string, body: string): void {
  // A second of all players' questions is one answer.
  response.writeHead(200, {
    'content-type': type,
    'cache-control': 'max-age=1',
    'access-control-allow-origin': '*',
  });
  response.end(body);
}

async function fetchText(url: string): Promise<string> {
  const response = await fetch(url, { signal: AbortSignal.timeout(fetchMs) });
  if (!response.ok) {
    throw new TaplineError('origin_failed', `the channel's playlist answers ${response.status}`);
  }
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    bytes += part.length;
    if (bytes > defaultPlaylistLimits.maxBytes) {
      const limit = defaultPlaylistLimits.maxBytes;
      throw new TaplineError('origin_failed', `the channel's playlist exceeds ${limit} bytes`);
    }
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}
