import { failure, type Finding } from '../playlist/finding.ts';
import type { MediaPlaylist } from '../playlist/media-playlist.ts';

/** RFC 8216bis §8: which version a feature needs. */
export function checkVersion(playlist: MediaPlaylist): readonly Finding[] {
  const { version } = playlist;
  return featuresOf(playlist)
    .filter(({ needs }) => version < needs)
    .map(({ needs, what }) =>
      failure('version-too-low', `EXT-X-VERSION ${version} is below ${needs}, which ${what} need`),
    );
}

function featuresOf(
  playlist: MediaPlaylist,
): readonly { readonly needs: number; readonly what: string }[] {
  const { segments, skipped } = playlist;
  const keys = segments.flatMap((segment) => segment.keys ?? []);
  const features: (readonly [boolean, number, string])[] = [
    [keys.some(({ iv }) => iv !== undefined), 2, 'the IV of a key'],
    [segments.some(({ duration }) => !Number.isInteger(duration)), 3, 'durations with decimals'],
    [segments.some(({ byteRange }) => byteRange !== undefined), 4, 'byte ranges'],
    [playlist.iFramesOnly, 4, 'EXT-X-I-FRAMES-ONLY'],
    [keys.some(({ keyFormat }) => keyFormat !== undefined), 5, 'KEYFORMAT'],
    [segments.some(({ map }) => map !== undefined), playlist.iFramesOnly ? 5 : 6, 'EXT-X-MAP'],
    [skipped !== undefined, 9, 'EXT-X-SKIP'],
    [(skipped?.removedDateRanges.length ?? 0) > 0, 10, 'RECENTLY-REMOVED-DATERANGES'],
  ];
  return features.filter(([used]) => used).map(([, needs, what]) => ({ needs, what }));
}
