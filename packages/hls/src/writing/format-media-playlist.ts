import type {
  ByteRange,
  EncryptionKey,
  MediaMap,
  MediaPlaylist,
  MediaSegment,
  PartialSegment,
} from '../playlist/media-playlist.ts';
import { formatDecimal } from './format-decimal.ts';

/** The text of a media playlist. What was not read of the original, such as unknown tags, is not in it. */
export function formatMediaPlaylist(playlist: MediaPlaylist): string {
  const lines = ['#EXTM3U', ...headerLines(playlist)];
  let carried: Pick<MediaSegment, 'map' | 'keys' | 'bitrate'> = {};
  for (const segment of playlist.segments) {
    lines.push(...segmentLines(segment, carried));
    carried = segment;
  }
  lines.push(...playlist.parts.map(partLine));
  for (const { type, uri, start, length } of playlist.preloadHints) {
    const bytes =
      (start === 0 ? '' : `,BYTERANGE-START=${start}`) +
      (length === undefined ? '' : `,BYTERANGE-LENGTH=${length}`);
    lines.push(`#EXT-X-PRELOAD-HINT:TYPE=${type},URI="${uri}"${bytes}`);
  }
  for (const { uri, lastMsn, lastPart } of playlist.renditionReports) {
    const last =
      (lastMsn === undefined ? '' : `,LAST-MSN=${lastMsn}`) +
      (lastPart === undefined ? '' : `,LAST-PART=${lastPart}`);
    lines.push(`#EXT-X-RENDITION-REPORT:URI="${uri}"${last}`);
  }
  if (playlist.ended) lines.push('#EXT-X-ENDLIST');
  return `${lines.join('\n')}\n`;
}

function headerLines(playlist: MediaPlaylist): readonly string[] {
  const { version, start, serverControl: control, partTarget, skipped } = playlist;
  const lines: string[] = [];
  if (version > 1) lines.push(`#EXT-X-VERSION:${version}`);
  if (playlist.independentSegments) lines.push('#EXT-X-INDEPENDENT-SEGMENTS');
  if (start !== undefined) {
    const precise = start.precise ? ',PRECISE=YES' : '';
    lines.push(`#EXT-X-START:TIME-OFFSET=${formatDecimal(start.timeOffset)}${precise}`);
  }
  lines.push(`#EXT-X-TARGETDURATION:${playlist.targetDuration}`);
  if (control !== undefined) {
    const attributes = [
      ...(control.canBlockReload ? ['CAN-BLOCK-RELOAD=YES'] : []),
      ...seconds('CAN-SKIP-UNTIL', control.canSkipUntil),
      ...(control.canSkipDateRanges ? ['CAN-SKIP-DATERANGES=YES'] : []),
      ...seconds('HOLD-BACK', control.holdBack),
      ...seconds('PART-HOLD-BACK', control.partHoldBack),
    ];
    // An empty list would be none.
    if (attributes.length === 0) attributes.push('CAN-BLOCK-RELOAD=NO');
    lines.push(`#EXT-X-SERVER-CONTROL:${attributes.join(',')}`);
  }
  if (partTarget !== undefined) {
    lines.push(`#EXT-X-PART-INF:PART-TARGET=${formatDecimal(partTarget)}`);
  }
  if (playlist.type !== undefined) lines.push(`#EXT-X-PLAYLIST-TYPE:${playlist.type}`);
  if (playlist.iFramesOnly) lines.push('#EXT-X-I-FRAMES-ONLY');
  lines.push(`#EXT-X-MEDIA-SEQUENCE:${playlist.mediaSequence}`);
  if (playlist.discontinuitySequence > 0) {
    lines.push(`#EXT-X-DISCONTINUITY-SEQUENCE:${playlist.discontinuitySequence}`);
  }
  if (skipped !== undefined) {
    const removed = skipped.removedDateRanges;
    const dates =
      removed.length === 0 ? '' : `,RECENTLY-REMOVED-DATERANGES="${removed.join('\t')}"`;
    lines.push(`#EXT-X-SKIP:SKIPPED-SEGMENTS=${skipped.segments}${dates}`);
  }
  for (const { attributes } of playlist.dateRanges) {
    const list = Object.entries(attributes).map(([name, value]) => `${name}=${value}`);
    lines.push(`#EXT-X-DATERANGE:${list.join(',')}`);
  }
  return lines;
}

function segmentLines(
  segment: MediaSegment,
  before: Pick<MediaSegment, 'map' | 'keys' | 'bitrate'>,
): readonly string[] {
  const lines: string[] = [];
  if (segment.discontinuity) lines.push('#EXT-X-DISCONTINUITY');
  if (segment.programDateTime !== undefined) {
    lines.push(`#EXT-X-PROGRAM-DATE-TIME:${new Date(segment.programDateTime).toISOString()}`);
  }
  if (segment.keys !== undefined && !same(segment.keys, before.keys)) {
    // What had a key before and has not now is ended first.
    if ((before.keys?.length ?? 0) > 0 || segment.keys.length === 0) {
      lines.push('#EXT-X-KEY:METHOD=NONE');
    }
    lines.push(...segment.keys.map(keyLine));
  }
  if (segment.map !== undefined && !same(segment.map, before.map)) {
    lines.push(mapLine(segment.map));
  }
  if (segment.bitrate !== undefined && segment.bitrate !== before.bitrate) {
    lines.push(`#EXT-X-BITRATE:${segment.bitrate}`);
  }
  lines.push(...segment.parts.map(partLine));
  if (segment.gap) lines.push('#EXT-X-GAP');
  if (segment.byteRange !== undefined) lines.push(`#EXT-X-BYTERANGE:${range(segment.byteRange)}`);
  lines.push(`#EXTINF:${formatDecimal(segment.duration)},${segment.title}`, segment.uri);
  return lines;
}

function keyLine(key: EncryptionKey): string {
  const attributes = [
    `METHOD=${key.method}`,
    ...(key.uri === undefined ? [] : [`URI="${key.uri}"`]),
    ...(key.iv === undefined ? [] : [`IV=${key.iv}`]),
    ...(key.keyFormat === undefined ? [] : [`KEYFORMAT="${key.keyFormat}"`]),
    ...(key.keyFormatVersions === undefined
      ? []
      : [`KEYFORMATVERSIONS="${key.keyFormatVersions}"`]),
  ];
  return `#EXT-X-KEY:${attributes.join(',')}`;
}

function mapLine({ uri, byteRange }: MediaMap): string {
  const bytes = byteRange === undefined ? '' : `,BYTERANGE="${range(byteRange)}"`;
  return `#EXT-X-MAP:URI="${uri}"${bytes}`;
}

function partLine({ duration, uri, independent, gap, byteRange }: PartialSegment): string {
  const bytes = byteRange === undefined ? '' : `,BYTERANGE="${range(byteRange)}"`;
  const flags = (independent ? ',INDEPENDENT=YES' : '') + (gap ? ',GAP=YES' : '');
  return `#EXT-X-PART:DURATION=${formatDecimal(duration)},URI="${uri}"${bytes}${flags}`;
}

function range({ length, offset }: ByteRange): string {
  return `${length}@${offset}`;
}

function seconds(name: string, value: number | undefined): readonly string[] {
  return value === undefined ? [] : [`${name}=${formatDecimal(value)}`];
}

function same(left: unknown, right: unknown): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}
