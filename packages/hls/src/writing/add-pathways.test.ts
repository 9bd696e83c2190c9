import { expect, test } from 'vitest';
import { parsePlaylist } from '../reading/parse-playlist.ts';
import { addPathways } from './add-pathways.ts';
import { clonePathway } from './pathway-clone.ts';

const master = `#EXTM3U
#EXT-X-VERSION:6
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="aac",NAME="English",DEFAULT=YES,AUTOSELECT=YES,URI="audio/en.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=2000000,CODECS="avc1.64001f,mp4a.40.2",AUDIO="aac",CLOSED-CAPTIONS=NONE
720.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=800000,CODECS="avc1.64001f,mp4a.40.2",AUDIO="aac",CLOSED-CAPTIONS=NONE
/abs/360.m3u8
#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=90000,URI="iframe.m3u8"
`;

const pathways = ['edge-1', 'edge-2'].map((id) => ({
  id,
  resolve: (uri: string) => new URL(uri, `http://${id}:8080/news/`).href,
}));

test('each variant is there once for each pathway, with groups of its own', () => {
  const text = addPathways(master, { pathways, steeringUri: 'steering.json' });
  const { playlist } = parsePlaylist(text);
  if (playlist.kind !== 'multivariant') throw new Error('it is a multivariant playlist');
  expect(playlist.contentSteering).toEqual({ serverUri: 'steering.json', pathwayId: 'edge-1' });
  expect(
    playlist.variants
      .filter(({ iFrames }) => !iFrames)
      .map(({ uri, pathwayId, audio, closedCaptions }) => [uri, pathwayId, audio, closedCaptions]),
  ).toEqual([
    ['http://edge-1:8080/news/720.m3u8', 'edge-1', 'aac@edge-1', 'NONE'],
    ['http://edge-1:8080/abs/360.m3u8', 'edge-1', 'aac@edge-1', 'NONE'],
    ['http://edge-2:8080/news/720.m3u8', 'edge-2', 'aac@edge-2', 'NONE'],
    ['http://edge-2:8080/abs/360.m3u8', 'edge-2', 'aac@edge-2', 'NONE'],
  ]);
  expect(playlist.renditions.map(({ groupId, uri }) => [groupId, uri])).toEqual([
    ['aac@edge-1', 'http://edge-1:8080/news/audio/en.m3u8'],
    ['aac@edge-2', 'http://edge-2:8080/news/audio/en.m3u8'],
  ]);
  expect(playlist.variants.filter(({ iFrames }) => iFrames).map(({ uri }) => uri)).toEqual([
    'http://edge-1:8080/news/iframe.m3u8',
    'http://edge-2:8080/news/iframe.m3u8',
  ]);
});

test('pathways that it had are left out, but for the first', () => {
  const own = `#EXTM3U
#EXT-X-CONTENT-STEERING:SERVER-URI="https://theirs.example/steer"
#EXT-X-STREAM-INF:BANDWIDTH=1,PATHWAY-ID="a"
https://a.example/1.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=1,PATHWAY-ID="b"
https://b.example/1.m3u8
`;
  const text = addPathways(own, { pathways, steeringUri: 's' });
  expect(text).not.toContain('theirs.example');
  expect(text).not.toContain('b.example');
  expect(text.match(/^https:\/\/a\.example/gm)).toHaveLength(2);
});

test('a pathway that comes later is told of by the stable ids of what there is', () => {
  const [first, later] = pathways;
  if (first === undefined || later === undefined) throw new Error('there are two');
  const text = addPathways(master, { pathways: [first], steeringUri: 's' });
  const { 'URI-REPLACEMENT': replacement, ...names } = clonePathway(master, {
    base: first.id,
    pathway: later,
  });
  expect(names).toEqual({ 'BASE-ID': 'edge-1', ID: 'edge-2' });
  expect(replacement).toEqual({
    'PER-VARIANT-URIS': {
      '720.m3u8': 'http://edge-2:8080/news/720.m3u8',
      '/abs/360.m3u8': 'http://edge-2:8080/abs/360.m3u8',
      'iframe.m3u8': 'http://edge-2:8080/news/iframe.m3u8',
    },
    'PER-RENDITION-URIS': { 'audio/en.m3u8': 'http://edge-2:8080/news/audio/en.m3u8' },
  });
  for (const id of ['720.m3u8', '/abs/360.m3u8', 'iframe.m3u8']) {
    expect(text).toContain(`STABLE-VARIANT-ID="${id}"`);
  }
  expect(text).toContain('STABLE-RENDITION-ID="audio/en.m3u8"');
  // What the origin names itself stays, and what is no id becomes one.
  const own = `#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,STABLE-VARIANT-ID="hd"\na.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=2\nb.m3u8?t=1&u\n`;
  const uris = clonePathway(own, { base: 'edge-1', pathway: later })['URI-REPLACEMENT'];
  expect(Object.keys(uris['PER-VARIANT-URIS'])).toEqual(['hd', 'b.m3u8_t=1_u']);
});
