import { TaplineError } from '@tapline/base';
import { decodeUtf8, type PaxRecords, parsePaxRecords } from './pax-records.ts';
import type { TarEntry } from './tar-entry.ts';
import { tarError } from './tar-error.ts';
import { buildTarEntry, globalPaxRecords, mergePaxRecords } from './tar-extensions.ts';
import { readTarHeader, tarBlockSize, type TarHeader, untilNul } from './tar-header.ts';

/**
 * What a decoder saw, in archive order. The bytes of an entry come as zero or more `data` events,
 * `entry.size` in all, and are views of the pushed chunk: copy what must outlive it.
 */
export type TarEvent =
  | {
      readonly kind: 'entry';
      readonly entry: TarEntry;
      /** Where in the archive its content begins. */
      readonly contentOffset: number;
    }
  | { readonly kind: 'data'; readonly bytes: Uint8Array }
  | { readonly kind: 'entry-end' }
  | { readonly kind: 'archive-end' };

export interface TarDecoderOptions {
  /** The longest pax header or GNU long name taken, in bytes; 1 MiB unless told. */
  readonly maxExtensionBytes?: number;
}

type Phase = 'header' | 'extension' | 'content' | 'padding' | 'ended';

const noRecords: PaxRecords = new Map();

/**
 * Decodes a tar archive pushed in chunks of any size: ustar, pax, GNU and version 7. Throws
 * `tar_corrupt`, `tar_truncated` (from `end`) or `tar_unsupported` (sparse files, multi-volume
 * archives, names that are not UTF-8), and is of no use after.
 */
export class TarDecoder {
  readonly #maxExtensionBytes: number;
  #phase: Phase = 'header';
  /** Where in the archive the next byte of the input lies, and the current entry's header. */
  #position = 0;
  #headerOffset = 0;
  /** Collects a header block or the body of an extension that spans chunks. */
  #buffer: Uint8Array = new Uint8Array(tarBlockSize);
  #filled = 0;
  /** Bytes of the current content, or of the current padding, still to come. */
  #remaining = 0;
  #padding = 0;
  #sawZeroBlock = false;
  #extensionType = '';
  #global: PaxRecords = noRecords;
  #local: PaxRecords = noRecords;
  #gnuPath: string | undefined;
  #gnuLinkTarget: string | undefined;

  constructor(options: TarDecoderOptions = {}) {
    this.#maxExtensionBytes = options.maxExtensionBytes ?? 1024 * 1024;
  }

  /** Takes the next bytes of the archive; those after its end are ignored, as tar does. */
  push(chunk: Uint8Array): readonly TarEvent[] {
    const events: TarEvent[] = [];
    let at = 0;
    while (at < chunk.length && this.#phase !== 'ended') {
      const taken = this.#step(chunk.subarray(at), events);
      at += taken;
      this.#position += taken;
    }
    return events;
  }

  /** Says that no more input comes. Throws `tar_truncated` where the archive is not complete. */
  end(): readonly TarEvent[] {
    if (this.#phase === 'ended') return [];
    // One zero block instead of two at the very end is common enough that every reader takes it.
    if (this.#phase === 'header' && this.#filled === 0 && this.#sawZeroBlock) {
      this.#phase = 'ended';
      return [{ kind: 'archive-end' }];
    }
    throw new TaplineError(
      'tar_truncated',
      `archive ends after ${this.#position} bytes, ${this.#describeMissing()}`,
      { details: { offset: this.#position } },
    );
  }

  /** Handles the start of `input` and answers how much of it that was. */
  #step(input: Uint8Array, events: TarEvent[]): number {
    if (this.#phase === 'header') return this.#stepHeader(input, events);
    if (this.#phase === 'extension') return this.#stepExtension(input);
    if (this.#phase === 'content') return this.#stepContent(input, events);
    return this.#stepPadding(input);
  }

  #stepHeader(input: Uint8Array, events: TarEvent[]): number {
    const taken = Math.min(tarBlockSize - this.#filled, input.length);
    if (taken === tarBlockSize) {
      this.#headerOffset = this.#position;
      this.#takeHeader(input.subarray(0, tarBlockSize), events);
      return taken;
    }
    if (this.#filled === 0) this.#headerOffset = this.#position;
    this.#buffer.set(input.subarray(0, taken), this.#filled);
    this.#filled += taken;
    if (this.#filled === tarBlockSize) {
      this.#filled = 0;
      this.#takeHeader(this.#buffer, events);
    }
    return taken;
  }

  #takeHeader(block: Uint8Array, events: TarEvent[]): void {
    const header = readTarHeader(block, this.#headerOffset);
    if (header === undefined) {
      if (this.#hasExtensions()) throw this.#corrupt('extended header without an entry');
      if (this.#sawZeroBlock) {
        this.#phase = 'ended';
        events.push({ kind: 'archive-end' });
      }
      this.#sawZeroBlock = true;
      return;
    }
    if (this.#sawZeroBlock) throw this.#corrupt('header after a block of zeros');
    if ('xXgLK'.includes(header.type)) this.#beginExtension(header);
    else this.#beginEntry(header, events);
  }

  #beginExtension(header: TarHeader): void {
    if (header.size < 0 || header.size > this.#maxExtensionBytes) {
      throw this.#corrupt(
        `extended header of ${header.size} bytes exceeds ${this.#maxExtensionBytes}`,
      );
    }
    this.#extensionType = header.type;
    this.#buffer = new Uint8Array(header.size);
    this.#padding = paddingOf(header.size);
    this.#phase = 'extension';
    if (header.size === 0) this.#takeExtension();
  }

  #stepExtension(input: Uint8Array): number {
    const taken = Math.min(this.#buffer.length - this.#filled, input.length);
    this.#buffer.set(input.subarray(0, taken), this.#filled);
    this.#filled += taken;
    if (this.#filled === this.#buffer.length) this.#takeExtension();
    return taken;
  }

  #takeExtension(): void {
    const body = this.#buffer;
    switch (this.#extensionType) {
      case 'g':
        this.#global = mergePaxRecords(this.#global, globalPaxRecords(this.#parsePax(body)));
        break;
      case 'L':
        this.#gnuPath = this.#parseName(body);
        break;
      case 'K':
        this.#gnuLinkTarget = this.#parseName(body);
        break;
      default:
        this.#local = this.#parsePax(body);
    }
    this.#buffer = new Uint8Array(tarBlockSize);
    this.#filled = 0;
    this.#phase = this.#padding > 0 ? 'padding' : 'header';
  }

  #beginEntry(header: TarHeader, events: TarEvent[]): void {
    const entry = buildTarEntry(
      header,
      {
        pax: mergePaxRecords(this.#global, this.#local),
        gnuPath: this.#gnuPath,
        gnuLinkTarget: this.#gnuLinkTarget,
      },
      this.#headerOffset,
    );
    this.#local = noRecords;
    this.#gnuPath = this.#gnuLinkTarget = undefined;
    this.#remaining = entry.size;
    this.#padding = paddingOf(entry.size);
    events.push({ kind: 'entry', entry, contentOffset: this.#headerOffset + tarBlockSize });
    if (entry.size > 0) this.#phase = 'content';
    else events.push({ kind: 'entry-end' });
  }

  #stepContent(input: Uint8Array, events: TarEvent[]): number {
    const bytes = input.subarray(0, this.#remaining);
    events.push({ kind: 'data', bytes });
    this.#remaining -= bytes.length;
    if (this.#remaining === 0) {
      events.push({ kind: 'entry-end' });
      this.#phase = this.#padding > 0 ? 'padding' : 'header';
    }
    return bytes.length;
  }

  #stepPadding(input: Uint8Array): number {
    const taken = Math.min(this.#padding, input.length);
    this.#padding -= taken;
    if (this.#padding === 0) this.#phase = 'header';
    return taken;
  }

  #parsePax(body: Uint8Array): PaxRecords {
    const records = parsePaxRecords(body);
    if (records === undefined) throw this.#corrupt('malformed pax records');
    return records;
  }

  #parseName(body: Uint8Array): string {
    const name = decodeUtf8(untilNul(body));
    if (name === undefined) {
      throw tarError('tar_unsupported', 'GNU long name is not UTF-8', this.#headerOffset);
    }
    return name;
  }

  #hasExtensions(): boolean {
    return this.#local.size > 0 || this.#gnuPath !== undefined || this.#gnuLinkTarget !== undefined;
  }

  #corrupt(what: string): TaplineError {
    return tarError('tar_corrupt', what, this.#headerOffset);
  }

  #describeMissing(): string {
    if (this.#phase === 'content') {
      return `${this.#remaining} bytes before the end of an entry's content`;
    }
    if (this.#phase !== 'header') return 'within an entry';
    return this.#filled > 0 ? 'within a header' : 'without the zero blocks that end it';
  }
}

function paddingOf(size: number): number {
  return (tarBlockSize - (size % tarBlockSize)) % tarBlockSize;
}
