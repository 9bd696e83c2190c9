import type { Clock } from '@tapline/base';
import type { Attachment, StageTimes } from '@tapline/resources';

/**
 * When what happened to the versions of segments, by this process's monotonic clock. The nodes' own
 * times are durations by theirs; clocks of two machines are never subtracted. What began in an
 * earlier life of the process has no times.
 */
export interface SegmentTimes {
  /** Something is wanted of the segment: its version begins, unless one is under way. */
  accepted(segment: string): void;
  /** Its numbers and ports are settled, and its Attachments are written. */
  written(segment: string, epoch: number): void;
  /** A node has said how it went. */
  reported(attachment: Attachment): void;
  /** Of a version whose last node is ready; undefined where its beginning is not known. */
  stages(segment: string, epoch: number): StageTimes | undefined;
  /** The version is over: what comes next begins anew. */
  finished(segment: string): void;
  forget(segment: string): void;
}

interface Version {
  readonly acceptedMs: number;
  epoch?: number;
  writtenMs?: number;
  reportedMs?: number;
  /** The slowest node's. */
  applied: number;
  verified: number;
}

export function createSegmentTimes(clock: Clock): SegmentTimes {
  const versions = new Map<string, Version>();
  return {
    accepted(segment) {
      if (versions.has(segment)) return;
      versions.set(segment, { acceptedMs: clock.monotonic(), applied: 0, verified: 0 });
    },
    written(segment, epoch) {
      const version = versions.get(segment);
      if (version === undefined || version.epoch === epoch) return;
      version.epoch = epoch;
      version.writtenMs = clock.monotonic();
      delete version.reportedMs;
      version.applied = 0;
      version.verified = 0;
    },
    reported({ spec, status }) {
      const version = versions.get(spec.segment);
      if (version?.epoch !== spec.epoch || status?.observedEpoch !== spec.epoch) return;
      if (status.state !== 'Ready') return;
      version.reportedMs = clock.monotonic();
      version.applied = Math.max(version.applied, status.stages?.['applied'] ?? 0);
      version.verified = Math.max(version.verified, status.stages?.['verified'] ?? 0);
    },
    stages(segment, epoch) {
      const version = versions.get(segment);
      if (version?.epoch !== epoch) return undefined;
      const { acceptedMs, writtenMs, reportedMs, applied, verified } = version;
      if (writtenMs === undefined || reportedMs === undefined) return undefined;
      const allocated = (writtenMs - acceptedMs) / 1000;
      const away = (reportedMs - writtenMs) / 1000;
      return {
        allocated,
        notified: Math.max(0, away - applied - verified),
        applied,
        verified,
        total: allocated + away,
      };
    },
    finished: (segment) => void versions.delete(segment),
    forget: (segment) => void versions.delete(segment),
  };
}
