import type { ChannelCounters } from '../channel/channel-table.ts';
import type { ChannelSettings } from '../channel/channel-settings.ts';
import type { PurgeMode, PurgeTarget } from '../store/purge-table.ts';

/** Of one channel: what happened since the start, and what it has in memory and on disk. */
export interface ChannelFigures extends Readonly<ChannelCounters> {
  readonly memoryBytes: number;
  readonly diskBytes: number;
}

/** Figures that every engine has; since its start. */
export interface CacheStats {
  readonly requests: number;
  readonly hits: number;
  readonly misses: number;
  /** Requests that no cache may answer. */
  readonly passes: number;
  /** Requests sent to origins. */
  readonly fetches: number;
  readonly originFailures: number;
  readonly objects: number;
  readonly bytes: number;
  /** Of each channel by its name, where the engine tells them apart. */
  readonly channels?: Readonly<Record<string, ChannelFigures>>;
}

/** A running cache on an edge node, whatever program it is. */
export interface CacheEngine extends AsyncDisposable {
  /** `http://host:port`. */
  readonly url: string;
  /** Replaces what is served and how; what is kept stays. */
  configure(channels: readonly ChannelSettings[]): Promise<void>;
  /** Resolves when no answer of what was kept before goes out any more, and that holds after a crash. */
  purge(target: PurgeTarget, mode: PurgeMode): Promise<void>;
  /**
   * Keeps what is at a target of a channel, whatever else is used more, also where it is not kept yet;
   * or no longer. Holds after a restart where there is a disk. What is pinned takes half of it at most.
   * Throws `too_many_pins`, and `pins_unsupported` where the engine cannot.
   */
  pin(place: { readonly channel: string; readonly target: string }, pinned: boolean): Promise<void>;
  stats(): Promise<CacheStats>;
}
