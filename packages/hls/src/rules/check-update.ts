import { failure, type Finding } from '../playlist/finding.ts';
import type { MediaPlaylist, MediaSegment } from '../playlist/media-playlist.ts';

/**
 * What a newer reading of a media playlist does against the rules, beside the older one
 * (RFC 8216bis §6.2.1). `elapsedSeconds` is the time between the two, where it is known. Delta
 * updates have to be applied first.
 */
export function checkUpdate(
  older: MediaPlaylist,
  newer: MediaPlaylist,
  { elapsedSeconds }: { readonly elapsedSeconds?: number } = {},
): readonly Finding[] {
  const findings: Finding[] = [];
  if (newer.mediaSequence < older.mediaSequence) {
    const message = `EXT-X-MEDIA-SEQUENCE went from ${older.mediaSequence} to ${newer.mediaSequence}`;
    // Numbers mean something else now: nothing else can be compared.
    return [failure('sequence-went-back', message)];
  }
  if (older.ended && !newer.ended) {
    findings.push(failure('end-withdrawn', 'the playlist had EXT-X-ENDLIST and goes on'));
  }
  if (older.targetDuration !== newer.targetDuration) {
    const message = `EXT-X-TARGETDURATION went from ${older.targetDuration} to ${newer.targetDuration}`;
    findings.push(failure('target-duration-changed', message));
  }
  findings.push(...checkSegments(older, newer));
  findings.push(...checkDiscontinuities(older, newer));
  const patience = 1.5 * older.targetDuration;
  if (!newer.ended && elapsedSeconds !== undefined && elapsedSeconds > patience) {
    if (lastMsn(newer) <= lastMsn(older) && newer.parts.length <= older.parts.length) {
      const message = `no new segment after ${lastMsn(older)} for ${elapsedSeconds.toFixed(1)} s, more than 1.5 target durations (${patience} s)`;
      findings.push(failure('not-updated', message));
    }
  }
  return findings;
}

function checkSegments(older: MediaPlaylist, newer: MediaPlaylist): readonly Finding[] {
  const findings: Finding[] = [];
  const now = new Map(newer.segments.map((segment) => [segment.msn, segment]));
  for (const segment of older.segments) {
    const same = now.get(segment.msn);
    if (same !== undefined) {
      const change = changeOf(segment, same);
      if (change === undefined) continue;
      findings.push(failure('segment-changed', `segment ${segment.msn}: ${change}`));
    } else if (segment.msn >= newer.mediaSequence) {
      const message = `segment ${segment.msn} was there and is not, and it is none of the oldest`;
      findings.push(failure('segment-lost', message));
    } else if (older.type !== undefined) {
      const message = `segment ${segment.msn} was taken out of a playlist of type ${older.type}`;
      findings.push(failure('segment-lost', message));
    }
  }
  return findings;
}

function changeOf(older: MediaSegment, newer: MediaSegment): string | undefined {
  if (older.uri !== newer.uri) return `its URI went from ${older.uri} to ${newer.uri}`;
  if (older.duration !== newer.duration) {
    return `its duration went from ${older.duration} to ${newer.duration} s`;
  }
  if (
    older.byteRange?.offset !== newer.byteRange?.offset ||
    older.byteRange?.length !== newer.byteRange?.length
  ) {
    return 'its byte range changed';
  }
  // Where a discontinuity stands before the first segment, it may be counted and left out.
  return undefined;
}

/** RFC 8216bis §6.2.1: of each discontinuity that is taken out, the sequence number goes up by one. */
function checkDiscontinuities(older: MediaPlaylist, newer: MediaPlaylist): readonly Finding[] {
  const first = newer.segments[0];
  if (first === undefined || first.msn > lastMsn(older)) return [];
  // Compared as the number of the first segment that both have: its own discontinuity counts.
  const counted = (playlist: MediaPlaylist): number =>
    playlist.segments
      .filter(({ msn, discontinuity }) => msn <= first.msn && discontinuity)
      .reduce((sum) => sum + 1, playlist.discontinuitySequence);
  const [was, is] = [counted(older), counted(newer)];
  if (was === is) return [];
  const message = `segment ${first.msn} had discontinuity sequence ${was} and has ${is}`;
  return [failure('discontinuity-miscounted', message)];
}

function lastMsn(playlist: MediaPlaylist): number {
  return playlist.segments.at(-1)?.msn ?? playlist.mediaSequence - 1;
}
