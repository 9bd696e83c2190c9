import type { Clock, Log } from '@tapline/base';
import type { ChannelTable } from '../channel/channel-table.ts';
import type { OriginClient } from '../fill/origin-client.ts';
import type { OriginChooser } from '../fill/origin-chooser.ts';
import type { DiskStore } from '../store/disk-store.ts';
import type { MemoryTier } from '../store/memory-tier.ts';
import type { PinTable } from '../store/pin-table.ts';
import type { PurgeMode, PurgeTable } from '../store/purge-table.ts';
import type { Sieve } from '../store/sieve.ts';
import type { EdgeCounters } from './edge-counters.ts';
import type { Flight } from './flight.ts';

/** What the parts of one edge share. */
export interface EdgeState {
  /** Names this cache in `Cache-Status`, `Via` and `CDN-Loop`. */
  readonly name: string;
  readonly channels: () => ChannelTable;
  readonly memory: MemoryTier;
  readonly disk: DiskStore | undefined;
  readonly purges: PurgeTable;
  readonly pins: PinTable;
  /** Resolves when the purge outlives a crash. */
  purge(name: string, mode: PurgeMode): Promise<void>;
  readonly origins: OriginClient;
  readonly chooser: OriginChooser;
  /** Bytes that bodies under way may take together, and take now. */
  readonly filling: { readonly maxBytes: number; bytes: number };
  /** Fetches under way, by key. */
  readonly flights: Map<string, Flight>;
  /** Keys whose responses were not for all, and until when (monotonic) nobody waits for another's. */
  readonly unshared: Sieve<number>;
  readonly counters: EdgeCounters;
  /** Aborts when the edge stops. */
  readonly stopping: AbortSignal;
  readonly clock: Clock;
  readonly log: Log;
}
