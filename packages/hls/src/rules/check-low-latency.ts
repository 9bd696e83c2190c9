import { failure, type Finding, warning } from '../playlist/finding.ts';
import type { MediaPlaylist, PartialSegment } from '../playlist/media-playlist.ts';

// A sum of durations that were written with three decimals.
const tolerance = 0.0015;

/** The rules of low latency: parts, hints, and what the server says that it can do. */
export function checkLowLatency(playlist: MediaPlaylist): readonly Finding[] {
  return [...checkControl(playlist), ...checkParts(playlist), ...checkHints(playlist)];
}

function checkControl(playlist: MediaPlaylist): readonly Finding[] {
  const { serverControl: control, partTarget, targetDuration } = playlist;
  const findings: Finding[] = [];
  const holdBack = control?.holdBack;
  if (holdBack !== undefined && holdBack < 3 * targetDuration - tolerance) {
    const message = `HOLD-BACK of ${holdBack} s is less than three target durations (${3 * targetDuration} s)`;
    findings.push(failure('hold-back-too-short', message));
  }
  const boundary = control?.canSkipUntil;
  if (boundary !== undefined && boundary < 6 * targetDuration - tolerance) {
    const message = `CAN-SKIP-UNTIL of ${boundary} s is less than six target durations (${6 * targetDuration} s)`;
    findings.push(failure('skip-boundary-too-short', message));
  }
  if (boundary === undefined && (control?.canSkipDateRanges || playlist.skipped !== undefined)) {
    const message = 'the playlist skips, or offers to, and has no CAN-SKIP-UNTIL';
    findings.push(failure('skip-without-boundary', message));
  }
  if (partTarget === undefined) return findings;
  if (control?.canBlockReload !== true) {
    const message = 'there are parts and no CAN-BLOCK-RELOAD=YES';
    findings.push(warning('reload-not-blocking', message));
  }
  const partHoldBack = control?.partHoldBack;
  if (partHoldBack === undefined) {
    const message = 'there is EXT-X-PART-INF and no PART-HOLD-BACK';
    findings.push(failure('part-hold-back-missing', message));
  } else if (partHoldBack < 2 * partTarget - tolerance) {
    const message = `PART-HOLD-BACK of ${partHoldBack} s is less than two part targets (${2 * partTarget} s)`;
    findings.push(failure('part-hold-back-too-short', message));
  } else if (partHoldBack < 3 * partTarget - tolerance) {
    const message = `PART-HOLD-BACK of ${partHoldBack} s is less than the three part targets (${3 * partTarget} s) it should be`;
    findings.push(warning('part-hold-back-too-short', message));
  }
  return findings;
}

function checkParts(playlist: MediaPlaylist): readonly Finding[] {
  const { segments, parts, partTarget, targetDuration } = playlist;
  const findings: Finding[] = [];
  const groups = [
    ...segments.map((segment) => ({ msn: segment.msn, parts: segment.parts, segment })),
    { msn: (segments.at(-1)?.msn ?? -1) + 1, parts, segment: undefined },
  ];
  if (partTarget === undefined) {
    return groups.some((group) => group.parts.length > 0)
      ? [failure('part-target-missing', 'there are parts and no EXT-X-PART-INF')]
      : [];
  }
  let secondsAfter = 0;
  let keptTooLong: number | undefined;
  for (const group of groups.toReversed()) {
    const own = group.parts.reduce((sum, part) => sum + part.duration, 0);
    if (group.parts.length > 0 && group.segment !== undefined) {
      if (secondsAfter > 3 * targetDuration + tolerance) keptTooLong = group.msn;
      findings.push(...checkSum(group.segment, own));
    }
    findings.push(...checkDurations(group, partTarget));
    secondsAfter += group.segment?.duration ?? own;
  }
  if (keptTooLong !== undefined) {
    const message = `segment ${keptTooLong} has parts and ends more than three target durations before the end`;
    findings.push(warning('parts-kept-too-long', message));
  }
  return findings;
}

function checkSum(
  segment: { readonly msn: number; readonly duration: number; readonly parts: readonly unknown[] },
  own: number,
): readonly Finding[] {
  // Each part may have been rounded by half a millisecond.
  const slack = tolerance * (segment.parts.length + 1);
  if (Math.abs(own - segment.duration) <= slack) return [];
  const message = `segment ${segment.msn}: its parts have ${own.toFixed(3)} s, itself ${segment.duration} s`;
  return [warning('parts-differ-from-segment', message)];
}

function checkDurations(
  group: { readonly msn: number; readonly parts: readonly PartialSegment[] },
  partTarget: number,
): readonly Finding[] {
  return group.parts.flatMap(({ duration, gap }, index) => {
    if (duration > partTarget + tolerance) {
      const message = `segment ${group.msn}, part ${index}: ${duration} s exceed the part target of ${partTarget} s`;
      return [failure('part-exceeds-target', message)];
    }
    // RFC 8216bis §4.4.4.9: 85 %, but for the last part of a segment. The last one of a segment
    // that goes on may turn out to be that.
    const last = index === group.parts.length - 1;
    if (gap || last || duration >= 0.85 * partTarget - tolerance) return [];
    const message = `segment ${group.msn}, part ${index}: ${duration} s are less than 85 % of the part target of ${partTarget} s`;
    return [failure('part-too-short', message)];
  });
}

function checkHints({ preloadHints, ended }: MediaPlaylist): readonly Finding[] {
  const findings: Finding[] = [];
  for (const type of ['PART', 'MAP'] as const) {
    const count = preloadHints.filter((hint) => hint.type === type).length;
    if (count > 1) {
      findings.push(failure('hint-repeated', `there are ${count} preload hints of type ${type}`));
    }
  }
  if (ended && preloadHints.length > 0) {
    findings.push(failure('hint-after-end', 'the playlist has ended and hints at more'));
  }
  return findings;
}
