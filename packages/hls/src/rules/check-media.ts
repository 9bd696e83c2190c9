import { failure, type Finding, warning } from '../playlist/finding.ts';
import type { MediaPlaylist, MediaSegment } from '../playlist/media-playlist.ts';
import { playlistSeconds } from '../edge/playlist-seconds.ts';

// Encoders round; two seconds between what dates and durations say are an error of somebody's.
const dateToleranceMs = 2000;

/** The rules for segments and for the window of a live playlist. */
export function checkMedia(playlist: MediaPlaylist): readonly Finding[] {
  const { segments, targetDuration, parts } = playlist;
  const findings: Finding[] = [];
  for (const { msn, duration } of segments) {
    // RFC 8216bis §4.4.3.1: rounded to the nearest integer.
    if (Math.round(duration) <= targetDuration) continue;
    const message = `segment ${msn}: ${duration} s exceed the target duration of ${targetDuration} s`;
    findings.push(failure('duration-exceeds-target', message));
  }
  findings.push(...checkDates(segments));
  if (segments.length === 0 && parts.length === 0 && playlist.skipped === undefined) {
    findings.push(warning('no-segments', 'the playlist has no segment'));
  }
  if (playlist.type === 'VOD' && !playlist.ended) {
    findings.push(failure('vod-without-end', 'the playlist is VOD and has no EXT-X-ENDLIST'));
  }
  // RFC 8216bis §6.2.2: a server must not take away so much of a playlist that goes on.
  const seconds = playlistSeconds(playlist);
  const least = 3 * targetDuration;
  if (!playlist.ended && playlist.type === undefined && playlist.mediaSequence > 0) {
    if (playlist.skipped === undefined && seconds < least - 0.001) {
      const message = `the playlist has ${round(seconds)} s, less than three target durations (${least} s)`;
      findings.push(warning('live-too-short', message));
    }
  }
  return findings;
}

function checkDates(segments: readonly MediaSegment[]): readonly Finding[] {
  let expected: number | undefined;
  for (const segment of segments) {
    const { msn, programDateTime, duration, discontinuity } = segment;
    if (programDateTime !== undefined && expected !== undefined && !discontinuity) {
      const off = programDateTime - expected;
      if (Math.abs(off) > dateToleranceMs) {
        const message = `segment ${msn}: its program date is ${round(off / 1000)} s from where durations lead`;
        return [warning('date-time-jumps', message)];
      }
    }
    const from = programDateTime ?? (discontinuity ? undefined : expected);
    expected = from === undefined ? undefined : from + duration * 1000;
  }
  return [];
}

function round(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}
