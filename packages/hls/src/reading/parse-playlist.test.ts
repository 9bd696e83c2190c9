import { isTaplineError } from '@tapline/base';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { MediaPlaylist } from '../playlist/media-playlist.ts';
import type { MultivariantPlaylist } from '../playlist/multivariant-playlist.ts';
import { arbitraryMediaPlaylist } from '../testing/arbitrary-media-playlist.ts';
import { formatMediaPlaylist } from '../writing/format-media-playlist.ts';
import { checkPlaylist } from '../rules/check-playlist.ts';
import { parsePlaylist } from './parse-playlist.ts';

function media(text: string): MediaPlaylist {
  const { playlist, findings } = parsePlaylist(text);
  expect(findings).toEqual([]);
  if (playlist.kind !== 'media') throw new Error('not a media playlist');
  return playlist;
}

function multivariant(text: string): MultivariantPlaylist {
  const { playlist, findings } = parsePlaylist(text);
  expect(findings).toEqual([]);
  if (playlist.kind !== 'multivariant') throw new Error('not a multivariant playlist');
  return playlist;
}

const head = '#EXTM3U\n#EXT-X-TARGETDURATION:4\n';

describe('a media playlist', () => {
  test('what is written is read again', () => {
    fc.assert(
      fc.property(arbitraryMediaPlaylist, (playlist) => {
        const { playlist: read, findings } = parsePlaylist(formatMediaPlaylist(playlist));
        expect(findings).toEqual([]);
        expect(read).toEqual(playlist);
      }),
      { numRuns: 300 },
    );
  });

  test('ranges without an offset go on where the last one of the resource ended', () => {
    const { segments } = media(
      `${head}#EXT-X-BYTERANGE:10@5\n#EXTINF:1,\na.ts\n#EXT-X-BYTERANGE:7\n#EXTINF:1,\na.ts\n`,
    );
    expect(segments.map(({ byteRange }) => byteRange)).toEqual([
      { length: 10, offset: 5 },
      { length: 7, offset: 15 },
    ]);
  });

  test('lines end as they like, comments and unknown tags are passed over', () => {
    const text =
      '#EXTM3U\r\n#EXT-X-TARGETDURATION:4\r\n# no tag\r\n\r\n#EXT-X-NEW:1\r\n#EXTINF:2\r\na';
    expect(media(text).segments).toMatchObject([{ uri: 'a', duration: 2, title: '' }]);
  });

  test('a date with the offset as FFmpeg writes it', () => {
    const [segment] = media(
      `${head}#EXT-X-PROGRAM-DATE-TIME:2026-11-26T03:37:49.295+0100\n#EXTINF:1,\na\n`,
    ).segments;
    expect(segment?.programDateTime).toBe(Date.parse('2026-11-26T02:37:49.295Z'));
  });

  test('keys of several formats hold together, NONE ends them', () => {
    const text = [
      '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="a",KEYFORMAT="x"',
      '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="b",KEYFORMAT="y"',
      '#EXTINF:1,\n1',
      '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="c",KEYFORMAT="x"',
      '#EXTINF:1,\n2',
      '#EXT-X-KEY:METHOD=NONE',
      '#EXTINF:1,\n3',
    ].join('\n');
    const uris = media(head + text).segments.map(({ keys }) => keys?.map(({ uri }) => uri));
    expect(uris).toEqual([['a', 'b'], ['b', 'c'], []]);
  });

  test('a delta update numbers what it has', () => {
    const text = `${head}#EXT-X-MEDIA-SEQUENCE:50\n#EXT-X-SKIP:SKIPPED-SEGMENTS=7,RECENTLY-REMOVED-DATERANGES="a\tb"\n#EXTINF:4,\ns\n`;
    const playlist = media(text);
    expect(playlist.segments[0]?.msn).toBe(57);
    expect(playlist.skipped).toEqual({ segments: 7, removedDateRanges: ['a', 'b'] });
  });

  test('variables are replaced: defined, imported, and of the address', () => {
    const text = `${head}#EXT-X-DEFINE:NAME="a",VALUE="1"\n#EXT-X-DEFINE:IMPORT="b"\n#EXT-X-DEFINE:QUERYPARAM="c"\n#EXTINF:1,\n{$a}/{$b}/{$c}.ts\n`;
    const { playlist, findings } = parsePlaylist(text, {
      variables: { b: '2' },
      url: 'https://tv.example/p.m3u8?c=3%2F4#x',
    });
    expect(findings).toEqual([]);
    expect(playlist).toMatchObject({ segments: [{ uri: '1/2/3/4.ts' }] });
  });
});

test('a multivariant playlist', () => {
  const playlist = multivariant(`#EXTM3U
#EXT-X-VERSION:6
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="English, loud",DEFAULT=YES,AUTOSELECT=YES,LANGUAGE="en",URI="en.m3u8",CHANNELS="2"
#EXT-X-STREAM-INF:BANDWIDTH=1280000,AVERAGE-BANDWIDTH=1000000,CODECS="avc1.4d401f,mp4a.40.2",RESOLUTION=640x360,FRAME-RATE=25.000,AUDIO="a",CLOSED-CAPTIONS=NONE
low.m3u8?x=1
#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=80000,URI="low-iframe.m3u8"
#EXT-X-SESSION-DATA:DATA-ID="com.example.title",VALUE="News"
#EXT-X-CONTENT-STEERING:SERVER-URI="/steer",PATHWAY-ID="A"
`);
  expect(playlist).toEqual({
    kind: 'multivariant',
    version: 6,
    independentSegments: true,
    variants: [
      {
        uri: 'low.m3u8?x=1',
        iFrames: false,
        bandwidth: 1_280_000,
        averageBandwidth: 1_000_000,
        codecs: ['avc1.4d401f', 'mp4a.40.2'],
        resolution: { width: 640, height: 360 },
        frameRate: 25,
        audio: 'a',
        closedCaptions: 'NONE',
      },
      { uri: 'low-iframe.m3u8', iFrames: true, bandwidth: 80_000, codecs: [] },
    ],
    renditions: [
      {
        type: 'AUDIO',
        groupId: 'a',
        name: 'English, loud',
        isDefault: true,
        autoselect: true,
        forced: false,
        uri: 'en.m3u8',
        language: 'en',
        channels: '2',
      },
    ],
    sessionKeys: [],
    sessionData: [{ dataId: 'com.example.title', value: 'News' }],
    contentSteering: { serverUri: '/steer', pathwayId: 'A' },
    variables: {},
  });
  expect(checkPlaylist(playlist).map(({ code }) => code)).toEqual(['codecs-missing']);
});

describe('what is wrong is found, at its line, and the rest is read', () => {
  test.each([
    ['#EXTINF:1,\na\n', 'tag-missing', 3],
    ['#EXT-X-TARGETDURATION:four\n#EXTINF:1,\na', 'tag-invalid', 2],
    ['#EXT-X-TARGETDURATION:4\n#EXT-X-TARGETDURATION:5', 'tag-repeated', 3],
    ['#EXT-X-TARGETDURATION:4\n#EXTINF:-1,\na', 'tag-invalid', 3],
    ['#EXT-X-TARGETDURATION:4\n#EXTINF:1e9,\na', 'tag-invalid', 3],
    ['#EXT-X-TARGETDURATION:4\na.ts', 'uri-without-tag', 3],
    ['#EXT-X-TARGETDURATION:4\n#EXTINF:1,', 'tag-without-uri', 3],
    ['#EXT-X-TARGETDURATION:4\n#EXT-X-BYTERANGE:1@2@3', 'tag-invalid', 3],
    ['#EXT-X-TARGETDURATION:4\n#EXT-X-MAP:BYTERANGE="1@2"', 'attribute-missing', 3],
    ['#EXT-X-TARGETDURATION:4\n#EXT-X-PART:DURATION=1,URI=bare', 'attribute-invalid', 3],
    ['#EXT-X-TARGETDURATION:4\n#EXT-X-PART:DURATION=1,URI="open', 'attributes-malformed', 3],
    ['#EXT-X-TARGETDURATION:4\n#EXT-X-PRELOAD-HINT:TYPE=FILM,URI="a"', 'attribute-invalid', 3],
    ['#EXT-X-TARGETDURATION:4\n#EXT-X-PROGRAM-DATE-TIME:noon', 'tag-invalid', 3],
    ['#EXT-X-TARGETDURATION:4\n#EXTINF:1,\n{$x}.ts', 'variable-undefined', 4],
    ['#EXT-X-TARGETDURATION:4\n#EXT-X-STREAM-INF:BANDWIDTH=1', 'kind-mixed', 3],
    ['#EXT-X-STREAM-INF:CODECS="a"\nx', 'attribute-missing', 2],
    ['#EXT-X-STREAM-INF:BANDWIDTH=1\n#EXT-X-VERSION:3', 'tag-without-uri', 3],
    ['#EXT-X-STREAM-INF:BANDWIDTH=1,RESOLUTION=1x2x3\nx', 'attribute-invalid', 2],
  ])('%s', (text, code, line) => {
    const { findings } = parsePlaylist(`#EXTM3U\n${text}`);
    expect(findings).toContainEqual(expect.objectContaining({ code, line, severity: 'error' }));
  });

  test('no more is reported than asked for', () => {
    const text = head + '#EXTINF:x,\na\n'.repeat(50);
    const { playlist, findings } = parsePlaylist(text, { limits: { maxFindings: 10 } });
    expect(findings).toHaveLength(11);
    expect(findings.at(-1)?.code).toBe('findings-truncated');
    expect(playlist).toMatchObject({ segments: { length: 50 } });
  });
});

describe('refuses', () => {
  test.each([
    ['<html>404</html>', 'playlist_invalid', /begins with "<html>404<\/html>"/],
    ['', 'playlist_invalid', /begins with ""/],
    [Uint8Array.of(0x23, 0xff), 'playlist_invalid', /not UTF-8/],
    ['\ufeff#EXTM3U\n', 'playlist_invalid', /begins with/],
    [
      `${head}#EXTINF:1,\n${'a'.repeat(16_385)}\n`,
      'playlist_too_large',
      /line 4: 16385 characters/,
    ],
  ])('%.20s', (text, code, message) => {
    expect(() => parsePlaylist(text)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
  });

  test('more than its limits', () => {
    const endless = head + '#EXTINF:1,\na\n'.repeat(200);
    expect(() => parsePlaylist(endless, { limits: { maxEntries: 100 } })).toThrow(
      /line 204: playlist has more than 100 entries/,
    );
    expect(() => parsePlaylist(endless, { limits: { maxBytes: 1000 } })).toThrow(/exceeds 1000/);
  });

  test('variables that make much of little', () => {
    const text = `${head}#EXT-X-DEFINE:NAME="a",VALUE="${'x'.repeat(4000)}"\n#EXTINF:1,\n${'{$a}'.repeat(4000)}\n`;
    const { playlist, findings } = parsePlaylist(text);
    expect(findings.map(({ code }) => code)).toEqual(['tag-invalid']);
    expect(playlist).toMatchObject({ segments: [{ uri: expect.stringMatching(/^\{\$a\}/) }] });
  });
});

test('any text is read or refused with a code', () => {
  const word = fc.constantFrom(
    '#EXTINF:',
    '#EXT-X-PART:',
    '#EXT-X-KEY:',
    '#EXT-X-MAP:',
    '#EXT-X-SKIP:',
    '#EXT-X-DEFINE:',
    '#EXT-X-MEDIA:',
    '#EXT-X-STREAM-INF:',
    '#EXT-X-DATERANGE:',
    '#EXT-X-BYTERANGE:',
    '#EXT-X-TARGETDURATION:',
    'URI="',
    'NAME="x"',
    'VALUE=',
    'METHOD=NONE',
    'DURATION=',
    '"',
    ',',
    '=',
    '1',
    '@',
    '-9',
    '99999999999999999999',
    '{$x}',
    '\n',
    '\r\n',
    'é',
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 60 }), (words) => {
      let code = 'ok';
      try {
        const { playlist } = parsePlaylist(`#EXTM3U\n${words.join('')}`);
        checkPlaylist(playlist);
      } catch (error) {
        if (!isTaplineError(error)) throw error;
        code = error.code;
      }
      expect(code).toMatch(/^(ok|playlist_invalid|playlist_too_large)$/);
    }),
    { numRuns: 2000 },
  );
});
