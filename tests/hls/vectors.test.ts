import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Finding, formatMediaPlaylist, parsePlaylist, validatePlaylist } from '@tapline/hls';
import { expect, test } from 'vitest';

const folder = join(import.meta.dirname, '../../interop/hls');
const names = readdirSync(folder).filter((name) => name.endsWith('.m3u8'));

function read(name: string): ReturnType<typeof validatePlaylist> {
  return validatePlaylist(readFileSync(join(folder, name)));
}

function errors(findings: readonly Finding[]): readonly Finding[] {
  return findings.filter(({ severity }) => severity === 'error');
}

test.each(names)("FFmpeg's %s is read whole and is by the rules", (name) => {
  const { playlist, findings } = read(name);
  expect(errors(findings)).toEqual([]);
  if (playlist.kind === 'multivariant') return;
  const seconds = playlist.segments.reduce((sum, { duration }) => sum + duration, 0);
  expect(seconds).toBeCloseTo(name === 'live.m3u8' ? 3 : 5, 0);
  expect(parsePlaylist(formatMediaPlaylist(playlist)).playlist).toEqual(playlist);
});

test('each is what it was made to be', () => {
  expect(read('vod.m3u8').playlist).toMatchObject({ ended: true, type: 'VOD', mediaSequence: 0 });
  const live = read('live.m3u8').playlist;
  expect(live).toMatchObject({ ended: false, mediaSequence: 2 });
  expect(live).toMatchObject({
    segments: [{ msn: 2, programDateTime: expect.any(Number) }, {}, {}],
  });
  expect(read('fmp4.m3u8').playlist).toMatchObject({
    version: 7,
    segments: expect.arrayContaining([expect.objectContaining({ map: { uri: 'init.mp4' } })]),
  });
  const ranges = read('ranges.m3u8').playlist;
  if (ranges.kind !== 'media') throw new Error('not media');
  let end = (ranges.segments[0]?.map?.byteRange?.length ?? 0) + 0;
  for (const { byteRange } of ranges.segments) {
    expect(byteRange?.offset).toBe(end);
    end += byteRange?.length ?? 0;
  }
  expect(read('encrypted.m3u8').playlist).toMatchObject({
    segments: expect.arrayContaining([
      expect.objectContaining({ keys: [expect.objectContaining({ method: 'AES-128' })] }),
    ]),
  });
  expect(read('variants.m3u8').playlist).toMatchObject({
    kind: 'multivariant',
    variants: [{ uri: 'v0.m3u8', audio: 'group_sound' }, { uri: 'v1.m3u8' }],
    renditions: [{ type: 'AUDIO', uri: 'v2.m3u8', language: 'en', isDefault: true }],
  });
});
