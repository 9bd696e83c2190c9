import { CodeBuffer, type CodeTable } from './code-table.ts';
import type { SegmentClaim } from './segment-claim.ts';

/**
 * All of a node's state that frames of one segment can depend on, beside what is of all segments, as
 * numbers: where two segments have the same, each is to the other but another set of names.
 */
export interface SegmentSlice {
  /** Equal for equal contents; undefined where something is in it that belongs to no segment alone. */
  readonly code: number | undefined;
  /** VXLAN devices in the segment's bridge, in the order of their numbers. */
  readonly tunnels: readonly string[];
  readonly elements: ElementSection;
}

/** A device of a node that belongs to a segment, and its number there. */
export interface Home {
  readonly draft: SliceDraft;
  readonly symbol: number;
}

/** What elements of sets add; kept for as long as rules and devices are the same. */
export interface ElementSection {
  readonly code: number;
  readonly odd: boolean;
}

/** A slice that is being written. */
export class SliceDraft {
  readonly claim: SegmentClaim;
  readonly tunnels: string[] = [];
  bridge: string | undefined;
  odd = false;
  readonly #table: CodeTable;
  readonly #buffer: CodeBuffer;
  #last: string | undefined;
  #code = 0;
  #head = 0;

  constructor(claim: SegmentClaim, table: CodeTable, buffer: CodeBuffer) {
    this.claim = claim;
    this.#table = table;
    this.#buffer = buffer;
    buffer.length = 0;
  }

  /** Numbers of devices that are no ports: the bridge, then VXLAN devices. */
  symbolOf(name: string): number {
    const ports = this.claim.ports.length;
    if (name === this.bridge) return ports;
    this.tunnels.push(name);
    return ports + this.tunnels.length;
  }

  number(value: number): void {
    this.#buffer.push(value);
  }

  /** A name of the segment by its number, any other text as it is: the last bits say which. */
  text(value: string): void {
    // Entries and elements of the same MAC or address come one after the other.
    if (value !== this.#last) {
      const symbol = this.claim.symbols.get(value);
      this.#code = symbol === undefined ? this.#verbatim(value) : symbol << 2;
      this.#last = value;
    }
    this.#buffer.push(this.#code);
  }

  verbatim(value: string): void {
    this.#buffer.push(this.#verbatim(value));
  }

  #verbatim(value: string): number {
    return (this.#table.text(value) << 2) | 1;
  }

  /** A part of an element's key or its value, as nft prints it. */
  part(value: unknown): void {
    if (typeof value === 'string') {
      // It would be compared with names, which are other ones in other segments.
      if (value.endsWith('*')) this.odd = true;
      this.text(value);
    } else if (typeof value === 'number' && value >= 0 && value < 2 ** 29) {
      this.#buffer.push((value << 2) | 2);
    } else {
      const text = JSON.stringify(value) ?? '';
      if (typeof value === 'object' && text.includes('"range"')) this.odd = true;
      this.#buffer.push((this.#table.text(text) << 2) | 3);
    }
  }

  /** What was written until now is devices and entries; elements of sets are next. */
  beginElements(): void {
    this.#head = this.#table.sequence(this.#buffer);
    this.#buffer.length = 0;
  }

  endElements(): ElementSection {
    return { code: this.#table.sequence(this.#buffer), odd: this.odd };
  }

  finish(elements: ElementSection): SegmentSlice {
    const odd = this.odd || elements.odd;
    const code = odd ? undefined : this.#table.text(`${this.#head} ${elements.code}`);
    return { code, tunnels: this.tunnels, elements };
  }
}
