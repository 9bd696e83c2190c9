import { channelBuckets, type KeyHash } from './key-hash.ts';

/** Where a record is. */
export interface Place {
  /** The number of its segment in this process. */
  readonly segment: number;
  /** In bytes; a multiple of 16. */
  readonly offset: number;
  readonly length: number;
}

const maxLoad = 0.75;
const offsetUnit = 16;
const used = 1;
const frequencyShift = 1;
const frequencyBits = 0b110;
const pinnedBit = 0b1000;
/** What S3-FIFO counts to. */
export const maxFrequency = 3;

/**
 * A hash table of places in arrays of numbers: 19 bytes a slot and no object per entry, so that ten
 * million entries are a few hundred megabytes that no garbage collector looks at.
 */
export class SlotTable {
  #high: Uint32Array;
  #low: Uint32Array;
  #segment: Uint16Array;
  #offset: Uint32Array;
  #length: Uint32Array;
  #meta: Uint8Array;
  #mask: number;
  #count = 0;
  #pinnedBytes = 0;
  /** The lengths of what each channel has, by its bucket. */
  readonly #channelBytes = new Float64Array(channelBuckets);

  constructor(expected = 0) {
    const slots = slotsFor(expected);
    this.#mask = slots - 1;
    this.#high = new Uint32Array(slots);
    this.#low = new Uint32Array(slots);
    this.#segment = new Uint16Array(slots);
    this.#offset = new Uint32Array(slots);
    this.#length = new Uint32Array(slots);
    this.#meta = new Uint8Array(slots);
  }

  get count(): number {
    return this.#count;
  }

  /** The lengths of what is pinned. */
  get pinnedBytes(): number {
    return this.#pinnedBytes;
  }

  /** The lengths of what the channel of a bucket has. */
  bytesOfChannel(bucket: number): number {
    return this.#channelBytes[bucket] ?? 0;
  }

  /** What the slots take. */
  get memoryBytes(): number {
    return (this.#mask + 1) * bytesPerSlot;
  }

  /** Makes room at once for so many. */
  reserve(expected: number): void {
    if (slotsFor(expected) > this.#mask + 1) this.#resize(slotsFor(expected));
  }

  /** The slot of a key, -1 without. Valid until the table is changed. */
  find({ high, low }: KeyHash): number {
    for (
      let slot = low & this.#mask;
      (this.#meta[slot] ?? 0) !== 0;
      slot = (slot + 1) & this.#mask
    ) {
      if (this.#low[slot] === low && this.#high[slot] === high) return slot;
    }
    return -1;
  }

  placeAt(slot: number): Place {
    return {
      segment: this.#segment[slot] ?? 0,
      offset: (this.#offset[slot] ?? 0) * offsetUnit,
      length: this.#length[slot] ?? 0,
    };
  }

  isAt(slot: number, segment: number, offset: number): boolean {
    return this.#segment[slot] === segment && (this.#offset[slot] ?? 0) * offsetUnit === offset;
  }

  /** Sets where a key's record is, with its frequency at `frequency`. */
  set(
    key: KeyHash,
    place: Place,
    {
      frequency = 0,
      pinned = false,
    }: { readonly frequency?: number; readonly pinned?: boolean } = {},
  ): void {
    if ((this.#count + 1) / (this.#mask + 1) > maxLoad) this.#resize(2 * (this.#mask + 1));
    let slot = this.find(key);
    if (slot === -1) {
      slot = key.low & this.#mask;
      while ((this.#meta[slot] ?? 0) !== 0) slot = (slot + 1) & this.#mask;
      this.#count += 1;
    } else {
      this.#countChannel(slot, -1);
      if (this.isPinned(slot)) this.#pinnedBytes -= this.#length[slot] ?? 0;
    }
    if (pinned) this.#pinnedBytes += place.length;
    this.#high[slot] = key.high;
    this.#low[slot] = key.low;
    this.#segment[slot] = place.segment;
    this.#offset[slot] = place.offset / offsetUnit;
    this.#length[slot] = place.length;
    this.#countChannel(slot, 1);
    this.#meta[slot] = used | (frequency << frequencyShift) | (pinned ? pinnedBit : 0);
  }

  frequencyAt(slot: number): number {
    return ((this.#meta[slot] ?? 0) & frequencyBits) >> frequencyShift;
  }

  isPinned(slot: number): boolean {
    return ((this.#meta[slot] ?? 0) & pinnedBit) !== 0;
  }

  pin(slot: number, pinned: boolean): void {
    const meta = this.#meta[slot] ?? 0;
    if (pinned !== this.isPinned(slot)) {
      this.#pinnedBytes += (pinned ? 1 : -1) * (this.#length[slot] ?? 0);
    }
    this.#meta[slot] = pinned ? meta | pinnedBit : meta & ~pinnedBit;
  }

  /** Counts a use. */
  touch(slot: number): void {
    const frequency = this.frequencyAt(slot);
    if (frequency === maxFrequency) return;
    this.#meta[slot] =
      ((this.#meta[slot] ?? 0) & ~frequencyBits) | ((frequency + 1) << frequencyShift);
  }

  /** Takes a slot out; those behind it move up, so that none is lost behind a gap. */
  remove(slot: number): void {
    this.#countChannel(slot, -1);
    if (this.isPinned(slot)) this.#pinnedBytes -= this.#length[slot] ?? 0;
    let gap = slot;
    for (let at = (gap + 1) & this.#mask; (this.#meta[at] ?? 0) !== 0; at = (at + 1) & this.#mask) {
      const home = (this.#low[at] ?? 0) & this.#mask;
      // It may move only where the gap is not before its home, in the order of the ring.
      if (((at - home) & this.#mask) >= ((at - gap) & this.#mask)) {
        this.#copy(at, gap);
        gap = at;
      }
    }
    this.#meta[gap] = 0;
    this.#count -= 1;
  }

  /**
   * Forgets of a channel what is used least, and of that what is oldest, until so many bytes are gone;
   * pins stay. `ageOf` says how old a segment is: 0 is the oldest, and all are below `ages`. It walks
   * twice through the table, which takes 5 ms for each million slots.
   */
  trimChannel(
    bucket: number,
    bytes: number,
    { ageOf, ages }: { readonly ageOf: (segment: number) => number; readonly ages: number },
  ): number {
    const isOfChannel = (slot: number): boolean =>
      (this.#meta[slot] ?? 0) !== 0 &&
      (this.#high[slot] ?? 0) >>> 16 === bucket &&
      !this.isPinned(slot);
    const rankAt = (slot: number): number =>
      this.frequencyAt(slot) * ages + ageOf(this.#segment[slot] ?? 0);
    const byRank = new Float64Array((maxFrequency + 1) * ages);
    for (let slot = 0; slot <= this.#mask; slot += 1) {
      if (!isOfChannel(slot)) continue;
      const rank = rankAt(slot);
      byRank[rank] = (byRank[rank] ?? 0) + (this.#length[slot] ?? 0);
    }
    let last = 0;
    for (let sum = 0; last < byRank.length; last += 1) {
      sum += byRank[last] ?? 0;
      if (sum >= bytes) break;
    }
    let freed = 0;
    for (let slot = 0; slot <= this.#mask && freed < bytes; slot += 1) {
      // What moves up into a gap is looked at as well.
      while (freed < bytes && isOfChannel(slot) && rankAt(slot) <= last) {
        freed += this.#length[slot] ?? 0;
        this.remove(slot);
      }
    }
    return freed;
  }

  #countChannel(slot: number, sign: 1 | -1): void {
    const bucket = (this.#high[slot] ?? 0) >>> 16;
    this.#channelBytes[bucket] =
      (this.#channelBytes[bucket] ?? 0) + sign * (this.#length[slot] ?? 0);
  }

  #copy(from: number, to: number): void {
    this.#high[to] = this.#high[from] ?? 0;
    this.#low[to] = this.#low[from] ?? 0;
    this.#segment[to] = this.#segment[from] ?? 0;
    this.#offset[to] = this.#offset[from] ?? 0;
    this.#length[to] = this.#length[from] ?? 0;
    this.#meta[to] = this.#meta[from] ?? 0;
  }

  #resize(slots: number): void {
    const [high, low, segment, offset, length, meta] = [
      this.#high,
      this.#low,
      this.#segment,
      this.#offset,
      this.#length,
      this.#meta,
    ];
    this.#mask = slots - 1;
    this.#high = new Uint32Array(slots);
    this.#low = new Uint32Array(slots);
    this.#segment = new Uint16Array(slots);
    this.#offset = new Uint32Array(slots);
    this.#length = new Uint32Array(slots);
    this.#meta = new Uint8Array(slots);
    for (let from = 0; from < meta.length; from += 1) {
      if (meta[from] === 0) continue;
      let to = (low[from] ?? 0) & this.#mask;
      while ((this.#meta[to] ?? 0) !== 0) to = (to + 1) & this.#mask;
      this.#high[to] = high[from] ?? 0;
      this.#low[to] = low[from] ?? 0;
      this.#segment[to] = segment[from] ?? 0;
      this.#offset[to] = offset[from] ?? 0;
      this.#length[to] = length[from] ?? 0;
      this.#meta[to] = meta[from] ?? 0;
    }
  }
}

const bytesPerSlot = 4 + 4 + 2 + 4 + 4 + 1;
const minSlots = 1024;

function slotsFor(expected: number): number {
  return Math.max(minSlots, 2 ** Math.ceil(Math.log2(Math.max(1, expected) / maxLoad)));
}
