import { Admission } from './admission.ts';
import { GhostQueue } from './ghost-queue.ts';
import type { KeyHash } from './key-hash.ts';
import { type Place, SlotTable } from './slot-table.ts';

export type Queue = 'small' | 'main';

/** A stretch of the log: records of one queue, in the order in which they came. */
export interface SegmentEntry {
  readonly number: number;
  readonly queue: Queue;
  bytes: number;
}

/** A record of a segment, as its index lists it. */
export interface RecordEntry extends KeyHash {
  readonly offset: number;
  readonly length: number;
}

/** What becomes of a segment's records when it is taken away. */
export interface Retirement {
  /** Copied into the main queue, with this frequency. */
  readonly kept: readonly (RecordEntry & { readonly frequency: number })[];
  readonly dropped: number;
}

/** The share of the small queue, through which what is new comes in (Yang et al., SOSP 2023). */
const smallShare = 0.1;
/** From here on the disk counts as full: what is above is only there until the next eviction. */
const fullShare = 0.9;
/** What of a segment is copied at most: the rest makes room, so that taking one away always does. */
const keptShare = 0.75;

/**
 * S3-FIFO over a log of segments: two queues, each a list of segments, the oldest of which is taken
 * away as a whole. What was used is copied on, what was not is forgotten and remembered as a ghost. It
 * decides and counts; files are its user's.
 */
export class DiskIndex {
  readonly table: SlotTable;
  readonly #ghosts: GhostQueue;
  /** Keys that came once and were not taken in. */
  readonly #seen: GhostQueue;
  readonly #admission = new Admission();
  readonly #queues: Record<Queue, SegmentEntry[]> = { small: [], main: [] };
  readonly #capacity: number;
  #free: number[] = [];
  #next = 0;

  constructor(init: { readonly capacityBytes: number; readonly ghostEntries: number }) {
    this.#capacity = init.capacityBytes;
    this.table = new SlotTable();
    this.#ghosts = new GhostQueue({ entries: init.ghostEntries });
    this.#seen = new GhostQueue({ entries: init.ghostEntries });
  }

  get bytes(): number {
    return this.#bytesOf('small') + this.#bytesOf('main');
  }

  get memoryBytes(): number {
    return this.table.memoryBytes + this.#ghosts.memoryBytes + this.#seen.memoryBytes;
  }

  /**
   * Through which queue a key comes in; undefined where it does not. While there is room all do. On a
   * full disk what was never asked for before may only leave its name; see admission.ts.
   */
  admit(key: KeyHash): Queue | undefined {
    if (this.#ghosts.take(key) !== undefined) return 'main';
    if (this.bytes < this.#capacity * fullShare || this.table.find(key) !== -1) return 'small';
    this.#admission.asked();
    const age = this.#seen.take(key);
    if (age !== undefined) {
      const inSmallQueue = this.table.count * smallShare;
      if (age <= inSmallQueue) this.#admission.cameEarly();
      return 'small';
    }
    if (this.#admission.takesAll) return 'small';
    this.#seen.add(key);
    return undefined;
  }

  openSegment(queue: Queue): SegmentEntry {
    const number = this.#free.pop() ?? this.#next++;
    const segment = { number, queue, bytes: 0 };
    this.#queues[queue].push(segment);
    return segment;
  }

  /** A record was written. */
  add(
    key: KeyHash,
    place: Place,
    how: { readonly frequency?: number; readonly pinned?: boolean } = {},
  ): void {
    const before = this.table.find(key);
    const pinned = how.pinned ?? (before !== -1 && this.table.isPinned(before));
    this.table.set(key, place, { frequency: how.frequency ?? 0, pinned });
  }

  /**
   * The segment to take away next; undefined while all fit. `active` are written to still and stay.
   */
  victim(
    active: ReadonlySet<number>,
    { force = false }: { readonly force?: boolean } = {},
  ): SegmentEntry | undefined {
    if (this.bytes <= this.#capacity && !force) return undefined;
    const oldest = (queue: Queue): SegmentEntry | undefined =>
      this.#queues[queue].find(({ number }) => !active.has(number));
    const fromSmall = this.#bytesOf('small') > this.#capacity * smallShare;
    return fromSmall ? (oldest('small') ?? oldest('main')) : (oldest('main') ?? oldest('small'));
  }

  /** Decides over the records of a segment that goes; those dropped are forgotten by this. */
  retire(segment: SegmentEntry, records: readonly RecordEntry[]): Retirement {
    const candidates: (RecordEntry & { frequency: number; pinned: boolean })[] = [];
    let dropped = 0;
    for (const record of records) {
      const slot = this.table.find(record);
      // Written again elsewhere, or forgotten: this copy is dead.
      if (slot === -1 || !this.table.isAt(slot, segment.number, record.offset)) continue;
      const frequency = this.table.frequencyAt(slot);
      const pinned = this.table.isPinned(slot);
      if (segment.queue === 'small' && frequency > 0 && this.#admission.takesAll) {
        this.#admission.cameEarly();
      }
      const stays = pinned || (segment.queue === 'small' ? frequency > 1 : frequency > 0);
      if (stays) {
        candidates.push({
          ...record,
          // Out of the small queue it starts anew; in the main one each round costs a use.
          frequency: segment.queue === 'small' ? 0 : Math.max(0, frequency - 1),
          pinned,
        });
        continue;
      }
      this.table.remove(slot);
      if (segment.queue === 'small') this.#ghosts.add(record);
      dropped += 1;
    }
    let room = segment.bytes * keptShare;
    const kept: (RecordEntry & { readonly frequency: number })[] = [];
    for (const one of candidates.toSorted((a, b) => rank(b) - rank(a))) {
      if (one.length <= room || one.pinned) {
        room -= one.length;
        kept.push(one);
        continue;
      }
      const slot = this.table.find(one);
      if (slot !== -1) this.table.remove(slot);
      dropped += 1;
    }
    return { kept: kept.toSorted((a, b) => a.offset - b.offset), dropped };
  }

  /** Forgets of a channel what is used least, until so many bytes of it are gone. */
  trimChannel(bucket: number, bytes: number): number {
    const byAge = [...this.#queues.small, ...this.#queues.main];
    const ages = new Map(byAge.map(({ number }, age) => [number, age]));
    return this.table.trimChannel(bucket, bytes, {
      ageOf: (segment) => ages.get(segment) ?? 0,
      ages: byAge.length + 1,
    });
  }

  /** A segment is gone. */
  closeSegment(segment: SegmentEntry): void {
    const queue = this.#queues[segment.queue];
    const at = queue.indexOf(segment);
    if (at !== -1) queue.splice(at, 1);
    this.#free.push(segment.number);
  }

  #bytesOf(queue: Queue): number {
    let bytes = 0;
    for (const segment of this.#queues[queue]) bytes += segment.bytes;
    return bytes;
  }
}

function rank(one: { readonly frequency: number; readonly pinned: boolean }): number {
  return one.frequency + (one.pinned ? 10 : 0);
}
