import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, errorMessage, isSystemError, type Log } from '@tapline/base';
import type { HeaderFields } from '../rfc/header-fields.ts';
import { variantKey } from '../rfc/vary.ts';
import { DiskIndex, type Queue, type RecordEntry } from './disk-index.ts';
import type { DiskStore } from './disk-store.ts';
import { channelBucket, hashKey, type KeyHash } from './key-hash.ts';
import { lockDirectory } from './lock-directory.ts';
import { createPieceSum, type PieceSum } from './piece-sum.ts';
import { encodeRecord, type RecordContent } from './record.ts';
import { RecordReader } from './record-reader.ts';
import { readIndexArray, SegmentFile } from './segment-file.ts';
import { keyParts } from './object-key.ts';
import type { Place } from './slot-table.ts';
import type { KeptResponse, StoredResponse } from './stored-response.ts';
import type { VariantMarker } from './variant-marker.ts';

export interface DiskTierInit {
  readonly directory: string;
  readonly capacityBytes: number;
  /** A segment is closed once it is this large; a 64th of the capacity unless given. */
  readonly segmentBytes?: number;
  /** The most that a channel may have here; 0 is no limit. Nobody has one unless given. */
  readonly limitOf?: (channel: string) => number;
  readonly clock: Clock;
  readonly log: Log;
  readonly counters: { diskFailures: number; corrupt: number };
}

const mebibyte = 1024 * 1024;
/** Bodies that wait to be written; beyond, what comes is not kept on disk. */
const maxWaitingBytes = 64 * mebibyte;
/** After the disk refused to take anything although room was made. */
const pauseMs = 10_000;
const segmentName = /^(\d{8})\.(small|main)\.seg$/;
const ghostsPerByte = 1 / (32 * 1024);
const minGhosts = 4096;
/** A hundred megabytes or two of memory once all are used. */
const maxGhosts = 2 ** 24;

/** What of the capacity may be pinned: the rest has to move. */
const pinnedShare = 0.5;

/** What a channel gives up at once: finding it costs a walk through the index. */
const trimmedShare = 0.1;

interface Written {
  readonly content: RecordContent;
  readonly bytes: number;
  readonly pinned: boolean;
}

/** The tier on disk: a log of segments with an index in memory. Owns its directory. */
export class DiskTier implements DiskStore, AsyncDisposable {
  readonly #init: DiskTierInit;
  readonly #index: DiskIndex;
  readonly #segmentBytes: number;
  readonly #segments: (SegmentFile | undefined)[] = [];
  readonly #active: Partial<Record<Queue, SegmentFile>> = {};
  readonly #sum: PieceSum = createPieceSum();
  readonly #reader: RecordReader;
  /** Reads under way, by key: who comes meanwhile takes part. */
  readonly #reading = new Map<string, Promise<KeptResponse | VariantMarker | undefined>>();
  #nextId = 1;
  #tail: Promise<void> = Promise.resolve();
  #waitingBytes = 0;
  #pausedUntil = 0;
  #closed = false;
  #unlock: (() => Promise<void>) | undefined;

  private constructor(init: DiskTierInit) {
    this.#init = init;
    const { capacityBytes } = init;
    this.#reader = new RecordReader({ clock: init.clock, sum: this.#sum });
    this.#segmentBytes =
      init.segmentBytes ??
      Math.min(Math.max(capacityBytes / 64, mebibyte), 4 * 1024 * mebibyte - 1);
    this.#index = new DiskIndex({
      capacityBytes,
      ghostEntries: Math.ceil(
        Math.min(Math.max(minGhosts, capacityBytes * ghostsPerByte), maxGhosts),
      ),
    });
  }

  /** Takes up what earlier runs kept. Throws `directory_locked` where another process has it. */
  static async open(init: DiskTierInit): Promise<DiskTier> {
    const tier = new DiskTier(init);
    await mkdir(init.directory, { recursive: true, mode: 0o700 });
    tier.#unlock = await lockDirectory(init.directory);
    try {
      await tier.#takeUp();
    } catch (error) {
      await tier[Symbol.asyncDispose]();
      throw error;
    }
    return tier;
  }

  get objects(): number {
    return this.#index.table.count;
  }

  get bytes(): number {
    return this.#index.bytes;
  }

  /** What a channel has here: records that are found, beside dead ones that wait for their segment. */
  bytesOf(channel: string): number {
    return this.#index.table.bytesOfChannel(channelBucket(channel));
  }

  /** What the index takes in memory. */
  get indexBytes(): number {
    return this.#index.memoryBytes;
  }

  put(
    stored: StoredResponse,
    { pinned = false }: { readonly pinned?: boolean } = {},
  ): Promise<void> {
    const content = { kind: 'response', ...stored } as const;
    return this.#put(stored.head.key, { content, bytes: stored.body.length, pinned });
  }

  putMarker(
    marker: VariantMarker,
    { pinned = false }: { readonly pinned?: boolean } = {},
  ): Promise<void> {
    return this.#put(marker.key, { content: marker, bytes: 0, pinned });
  }

  async find(primary: string, fields: HeaderFields): Promise<KeptResponse | undefined> {
    const content = await this.#read(primary);
    if (content === undefined || !('lists' in content)) return content;
    for (const names of content.lists) {
      const variant = await this.#read(`${primary} ${variantKey(names, fields)}`);
      if (variant !== undefined && !('lists' in variant)) return variant;
    }
    return undefined;
  }

  remove(key: string): void {
    const slot = this.#index.table.find(hashKey(key));
    if (slot !== -1) this.#index.table.remove(slot);
  }

  touch(key: string): boolean {
    const slot = this.#index.table.find(hashKey(key));
    if (slot !== -1) this.#index.table.touch(slot);
    return slot !== -1;
  }

  /**
   * Keeps it, or no longer, whatever else is used more. False where it is not here, or where what is
   * pinned would take more than half of the disk.
   */
  pin(key: string, pinned: boolean): boolean {
    const { table } = this.#index;
    const slot = table.find(hashKey(key));
    if (slot === -1 || (pinned && !this.#mayPin(table.placeAt(slot).length))) return false;
    table.pin(slot, pinned);
    return true;
  }

  /** Resolves when what was put before is written. */
  async settled(): Promise<void> {
    await this.#tail;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.#tail;
    for (const segment of Object.values(this.#active)) {
      // Without an index the next start walks through the segment.
      await segment.seal().catch((error: unknown) => this.#failed('seal a segment', error));
    }
    for (const segment of this.#segments) await segment?.close();
    await this.#unlock?.();
  }

  #mayPin(bytes: number): boolean {
    return this.#index.table.pinnedBytes + bytes <= this.#init.capacityBytes * pinnedShare;
  }

  #put(key: string, written: Written): Promise<void> {
    const { bytes } = written;
    if (this.#closed || bytes > this.#init.capacityBytes / 4) return Promise.resolve();
    if (this.#waitingBytes + bytes > maxWaitingBytes) return Promise.resolve();
    if (this.#init.clock.monotonic() < this.#pausedUntil) return Promise.resolve();
    this.#waitingBytes += bytes;
    const done = this.#writeAfter(this.#tail, key, written);
    this.#tail = done;
    return done;
  }

  async #writeAfter(before: Promise<void>, key: string, written: Written): Promise<void> {
    await before;
    try {
      await this.#write(key, written);
    } catch (error) {
      this.#failed('keep a response', error);
      await this.#afterFailure();
    } finally {
      this.#waitingBytes -= written.bytes;
    }
  }

  async #write(key: string, { content, bytes, pinned }: Written): Promise<void> {
    const { channel } = keyParts(key);
    const limit = this.#init.limitOf?.(channel) ?? 0;
    if (limit > 0 && bytes > limit) return;
    const hash = hashKey(key);
    const pins = pinned && this.#mayPin(bytes);
    const admitted = this.#index.admit(hash);
    // What varies is found by its marker alone, which is small.
    const queue = admitted ?? (pins || content.kind === 'variants' ? 'small' : undefined);
    if (queue === undefined) return;
    const buffers = encodeRecord(content, { key: hash, sum: this.#sum });
    await this.#append(queue, { hash, buffers });
    if (pins) this.pin(key, true);
    if (limit > 0) this.#keepWithin(channel, limit);
    while (await this.#evict(false)) {
      // One segment after the other, until all fits.
    }
  }

  /** A channel that is full gives up its own, a tenth at once, and nobody else's. */
  #keepWithin(channel: string, limit: number): void {
    const excess = this.bytesOf(channel) - limit;
    if (excess <= 0) return;
    this.#index.trimChannel(channelBucket(channel), excess + limit * trimmedShare);
  }

  async #append(
    queue: Queue,
    record: {
      readonly hash: KeyHash;
      readonly buffers: readonly Buffer[];
      readonly frequency?: number;
    },
  ): Promise<void> {
    const segment = this.#active[queue] ?? (await this.#openSegment(queue));
    const { offset, length } = await segment.append(record.buffers, record.hash);
    this.#index.add(
      record.hash,
      { segment: segment.entry.number, offset, length },
      { frequency: record.frequency ?? 0 },
    );
    if (segment.entry.bytes < this.#segmentBytes) return;
    delete this.#active[queue];
    await segment.seal();
  }

  async #openSegment(queue: Queue): Promise<SegmentFile> {
    const entry = this.#index.openSegment(queue);
    const path = join(
      this.#init.directory,
      `${String(this.#nextId++).padStart(8, '0')}.${queue}.seg`,
    );
    try {
      const segment = await SegmentFile.create(path, entry);
      this.#segments[entry.number] = segment;
      this.#active[queue] = segment;
      return segment;
    } catch (error) {
      this.#index.closeSegment(entry);
      throw error;
    }
  }

  /** Takes the oldest segment away; false where nothing is to be taken. */
  async #evict(force: boolean): Promise<boolean> {
    const active = new Set(Object.values(this.#active).map(({ entry }) => entry.number));
    const victim = this.#index.victim(active, { force });
    const segment = victim === undefined ? undefined : this.#segments[victim.number];
    if (victim === undefined || segment === undefined) return false;
    const { kept } = this.#index.retire(victim, await segment.records());
    for (const one of kept) await this.#carryOn(segment, one);
    this.#segments[victim.number] = undefined;
    this.#index.closeSegment(victim);
    await segment.remove();
    return true;
  }

  /** Copies a record into the main queue as it is; one that cannot be is forgotten. */
  async #carryOn(
    segment: SegmentFile,
    record: RecordEntry & { readonly frequency: number },
  ): Promise<void> {
    try {
      const bytes = await this.#reader.readRaw(segment, record);
      await this.#append('main', { hash: record, buffers: [bytes], frequency: record.frequency });
    } catch (error) {
      const slot = this.#index.table.find(record);
      if (slot !== -1) this.#index.table.remove(slot);
      this.#failed('carry on a response', error);
    }
  }

  #read(key: string): Promise<KeptResponse | VariantMarker | undefined> {
    const hash = hashKey(key);
    const { table } = this.#index;
    const slot = table.find(hash);
    if (slot === -1 || this.#closed) return Promise.resolve(undefined);
    const uses = table.frequencyAt(slot);
    table.touch(slot);
    const under = this.#reading.get(key);
    if (under !== undefined) return under;
    const reading = this.#readAt(key, { hash, place: table.placeAt(slot), uses }).finally(() =>
      this.#reading.delete(key),
    );
    this.#reading.set(key, reading);
    return reading;
  }

  async #readAt(
    key: string,
    { hash, place, uses }: { readonly hash: KeyHash; readonly place: Place; readonly uses: number },
  ): Promise<KeptResponse | VariantMarker | undefined> {
    const segment = this.#segments[place.segment];
    if (segment === undefined) return undefined;
    const onDamaged = (): void => {
      this.#init.counters.corrupt += 1;
      this.#init.log.warn('what is on disk is damaged and was forgotten', { key });
      this.#forget(hash, place);
    };
    try {
      const found = await this.#reader.read(segment, place, { uses, onDamaged });
      if (found === undefined) return undefined;
      // Two keys with one hash: the other one is here.
      return ('lists' in found ? found.key : found.head.key) === key ? found : undefined;
    } catch (error) {
      this.#failed('read a response', error);
      onDamaged();
      return undefined;
    }
  }

  #forget(hash: KeyHash, place: { readonly segment: number; readonly offset: number }): void {
    const slot = this.#index.table.find(hash);
    if (slot !== -1 && this.#index.table.isAt(slot, place.segment, place.offset)) {
      this.#index.table.remove(slot);
    }
  }

  async #takeUp(): Promise<void> {
    const { directory } = this.#init;
    const found: { readonly path: string; readonly queue: Queue; readonly id: number }[] = [];
    for (const name of await readdir(directory)) {
      const match = segmentName.exec(name);
      if (match !== null) {
        found.push({ path: join(directory, name), queue: match[2] as Queue, id: Number(match[1]) });
      } else if (name.endsWith('.new')) await rm(join(directory, name), { force: true });
    }
    for (const { path, queue, id } of found.toSorted((a, b) => a.id - b.id)) {
      this.#nextId = Math.max(this.#nextId, id + 1);
      const { size } = await stat(path);
      const entry = this.#index.openSegment(queue);
      entry.bytes = size;
      const segment = await SegmentFile.open(path, entry);
      this.#segments[entry.number] = segment;
      const array = await readIndexArray(path);
      if (array === undefined) this.#takeUpRecords(entry.number, await segment.scan());
      else this.#takeUpArray(entry.number, array);
    }
  }

  #takeUpRecords(segment: number, records: readonly RecordEntry[]): void {
    for (const record of records) {
      this.#index.add(record, { segment, offset: record.offset, length: record.length });
    }
  }

  #takeUpArray(segment: number, array: Uint32Array): void {
    const { table } = this.#index;
    table.reserve(table.count + array.length / 4);
    for (let at = 0; at + 3 < array.length; at += 4) {
      table.set(
        { high: array[at] ?? 0, low: array[at + 1] ?? 0 },
        { segment, offset: (array[at + 2] ?? 0) * 16, length: array[at + 3] ?? 0 },
      );
    }
  }

  /** Makes room on a full disk; where that does not help, it is left alone for a while. */
  async #afterFailure(): Promise<void> {
    try {
      if (await this.#evict(true)) return;
    } catch (error) {
      this.#failed('make room', error);
    }
    this.#pausedUntil = this.#init.clock.monotonic() + pauseMs;
  }

  #failed(what: string, error: unknown): void {
    this.#init.counters.diskFailures += 1;
    const full = isSystemError(error, 'ENOSPC') || isSystemError(error, 'EDQUOT');
    this.#init.log.warn(full ? 'the disk of the cache is full' : `the disk could not ${what}`, {
      error: errorMessage(error),
    });
  }
}
