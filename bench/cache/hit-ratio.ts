import { DiskIndex, type RecordEntry, type SegmentEntry, Sieve } from '@tapline/edge-cache';
import type { Policy } from './published-policies.ts';
import type { Trace } from './traces.ts';

/** What a cache of `capacity` objects answers of a trace, after a tenth to warm up. */
function hitRatio(trace: Trace, request: (object: number) => boolean): number {
  const warm = Math.floor(trace.requests.length / 10);
  let hits = 0;
  for (let at = 0; at < trace.requests.length; at += 1) {
    const hit = request(trace.requests[at] ?? 0);
    if (hit && at >= warm) hits += 1;
  }
  return hits / (trace.requests.length - warm);
}

export function hitRatioOfLru(trace: Trace, capacity: number): number {
  const kept = new Set<number>();
  return hitRatio(trace, (object) => {
    const hit = kept.delete(object);
    kept.add(object);
    if (kept.size > capacity) {
      for (const oldest of kept) {
        kept.delete(oldest);
        break;
      }
    }
    return hit;
  });
}

export function hitRatioOf(trace: Trace, policy: Policy): number {
  return hitRatio(trace, policy.ask);
}

/** The tier in memory, as it runs. */
export function hitRatioOfSieve(trace: Trace, capacity: number): number {
  const sieve = new Sieve<true>({ capacity });
  return hitRatio(trace, (object) => {
    const key = String(object);
    if (sieve.get(key) !== undefined) return true;
    sieve.set(key, true, { size: 1 });
    return false;
  });
}

export interface DiskRatio {
  readonly hits: number;
  /** What was written to the disk for each request that it did not answer. */
  readonly writes: number;
}

/** The tier on disk: its index as it runs, without files. */
export function hitRatioOfDisk(trace: Trace, capacity: number): DiskRatio {
  let [misses, writes] = [0, 0];
  const index = new DiskIndex({ capacityBytes: capacity * unit, ghostEntries: capacity });
  const records = new Map<number, RecordEntry[]>();
  const active: Partial<Record<'small' | 'main', SegmentEntry>> = {};
  const segmentBytes = Math.ceil(capacity / 64) * unit;

  function append(
    queue: 'small' | 'main',
    key: { high: number; low: number },
    frequency: number,
  ): void {
    const segment = (active[queue] ??= index.openSegment(queue));
    const record = { ...key, offset: segment.bytes, length: unit };
    const list = records.get(segment.number) ?? [];
    records.set(segment.number, list);
    list.push(record);
    segment.bytes += unit;
    index.add(key, { segment: segment.number, offset: record.offset, length: unit }, { frequency });
    if (segment.bytes >= segmentBytes) delete active[queue];
  }
  function evict(): boolean {
    const victim = index.victim(new Set(Object.values(active).map(({ number }) => number)));
    if (victim === undefined) return false;
    const { kept } = index.retire(victim, records.get(victim.number) ?? []);
    for (const { high, low, frequency } of kept) append('main', { high, low }, frequency);
    records.delete(victim.number);
    index.closeSegment(victim);
    return true;
  }
  const hits = hitRatio(trace, (object) => {
    const key = spread(object);
    const slot = index.table.find(key);
    if (slot !== -1) {
      index.table.touch(slot);
      return true;
    }
    misses += 1;
    const queue = index.admit(key);
    if (queue === undefined) return false;
    writes += 1;
    append(queue, key, 0);
    while (evict());
    return false;
  });
  return { hits, writes: writes / misses };
}

const unit = 16;

/** Numbers in a row as hashes that are spread. */
function spread(object: number): { readonly high: number; readonly low: number } {
  return {
    high: Math.imul(object + 1, 0x9e3779b1) >>> 0,
    low: Math.imul(object + 1, 0x85ebca6b) >>> 0,
  };
}
