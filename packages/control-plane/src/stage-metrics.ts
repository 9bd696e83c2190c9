import type { Install, StageTimes } from '@tapline/resources';

/** Where stage times go as they become known. */
export interface StageMetrics {
  packageBuilt(times: StageTimes): void;
  /** A version of a segment stands on all of its nodes. */
  segmentReady(times: StageTimes): void;
  /** A version of a channel is served, primed and validated. */
  channelReady(times: StageTimes): void;
  installReady(install: Install, notifiedSeconds: number): void;
}
