import { silentLog } from '@tapline/base';
import { parsePlaylist } from '@tapline/hls';
import { expect, test } from 'vitest';
import { channelSettings } from '../channel/channel-settings.ts';
import { startEdgeCache } from '../engine/start-edge-cache.ts';
import { startOrigin } from '../testing/start-origin.ts';
import { startEntryServer } from './start-entry-server.ts';

const master = '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=9\nhd/live.m3u8\n';

test('players begin with all edges, are told of them, and are told by another one', async () => {
  await using origin = await startOrigin((request, response) => {
    response.end(request.url === '/tv/main.m3u8' ? master : '');
  });
  await using stack = new AsyncDisposableStack();
  let edgeUrl = '';
  const entries = stack.use(
    await startEntryServer({ name: 'e2', edgeUrl: () => edgeUrl, log: silentLog }),
  );
  const common = { stripPrefix: true, anySite: true };
  const edge = stack.use(
    await startEdgeCache({
      channels: [
        channelSettings({
          ...common,
          name: 'news',
          prefix: '/news/',
          origins: [`${origin.url}/tv`],
        }),
        channelSettings({ name: 'news.entry', prefix: '/news/~tapline/', origins: [entries.url] }),
      ],
    }),
  );
  edgeUrl = edge.url;
  entries.configure([
    {
      prefix: '/news/',
      entry: {
        playlist: 'main.m3u8',
        originBase: `${origin.url}/tv/`,
        steeringSeconds: 4,
        pathways: [
          { id: 'e1', url: 'http://e1' },
          { id: 'e2', url: 'http://e2' },
        ],
      },
    },
  ]);
  const begin = await fetch(`${edge.url}/news/~tapline/index.m3u8`);
  expect(begin.headers.get('access-control-allow-origin')).toBe('*');
  const { playlist } = parsePlaylist(await begin.text());
  if (playlist.kind !== 'multivariant') throw new Error('it is a multivariant playlist');
  expect(playlist.variants.map(({ uri, pathwayId }) => [uri, pathwayId])).toEqual([
    ['http://e2/news/hd/live.m3u8', 'e2'],
    ['http://e1/news/hd/live.m3u8', 'e1'],
  ]);
  const steering = playlist.contentSteering?.serverUri ?? '';
  const told: unknown = await (await fetch(`${edge.url}${steering}?_HLS_pathway=e2`)).json();
  expect(told).toEqual({
    VERSION: 1,
    TTL: 4,
    'RELOAD-URI': 'http://e1/news/~tapline/steering.json',
    'PATHWAY-CLONES': [
      {
        'BASE-ID': 'e2',
        ID: 'e1',
        'URI-REPLACEMENT': {
          'PER-VARIANT-URIS': { 'hd/live.m3u8': 'http://e1/news/hd/live.m3u8' },
        },
      },
    ],
    'PATHWAY-PRIORITY': ['e2', 'e1'],
  });
  // Who is on another way, and well there, stays on it; who is on one that is gone comes here.
  const priorityFor = async (pathway: string): Promise<unknown> => {
    const response = await fetch(`${edge.url}${steering}?_HLS_pathway=%22${pathway}%22`);
    return ((await response.json()) as Record<string, unknown>)['PATHWAY-PRIORITY'];
  };
  expect(await priorityFor('e1')).toEqual(['e1', 'e2']);
  expect(await priorityFor('gone')).toEqual(['e2', 'e1']);
  // The origin knows nothing of the prefix, and pages of other sites may read what it sends.
  expect(origin.asked).toEqual(['GET /tv/main.m3u8']);
  const own = await fetch(`${edge.url}/news/main.m3u8`);
  expect(own.headers.get('access-control-allow-origin')).toBe('*');
  expect((await edge.stats()).channels).toMatchObject({
    news: { requests: 2, hits: 1, misses: 1, fetches: 1 },
  });
  expect((await fetch(`${edge.url}/news/~tapline/other`)).status).toBe(404);
});

test('a single rendition is a channel of one variant; what is elsewhere stays there', async () => {
  const { entryText } = await import('./entry-playlist.ts');
  const entry = {
    playlist: 'a/live.m3u8?x=1',
    originBase: 'https://o.example/',
    steeringSeconds: 4,
    pathways: [{ id: 'e1', url: 'http://e1' }],
  };
  const about = { entry, prefix: '/c/', first: 'e1' };
  const media = '#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n1.ts\n';
  expect(entryText(media, about)).toContain('\nhttp://e1/c/a/live.m3u8?x=1\n');
  const elsewhere = '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=9\nhttps://cdn.example/x.m3u8\n';
  expect(entryText(elsewhere, about)).toContain('\nhttps://cdn.example/x.m3u8\n');
  expect(() => entryText('<html>', about)).toThrow(/EXTM3U/);
});
