import type { CodeBuffer, CodeTable, Sequence } from './code-table.ts';
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

/**
 * What was written last, of any slice: most of the next says the same. To compare a text with the one
 * that is likely there reads it once; to look it up hashes it, and reads a table besides.
 */
export interface SliceGuide {
  head: Sequence | undefined;
  elements: Sequence | undefined;
}

/** A slice that is being written. */
export class SliceDraft {
  readonly claim: SegmentClaim;
  readonly tunnels: string[] = [];
  bridge: string | undefined;
  odd = false;
  readonly #table: CodeTable;
  readonly #buffer: CodeBuffer;
  readonly #guide: SliceGuide;
  #likely: Sequence | undefined;
  #last: string | undefined;
  #code = 0;
  #head = 0;

  constructor(
    claim: SegmentClaim,
    {
      table,
      buffer,
      guide,
    }: { readonly table: CodeTable; readonly buffer: CodeBuffer; readonly guide: SliceGuide },
  ) {
    this.claim = claim;
    this.#table = table;
    this.#buffer = buffer;
    this.#guide = guide;
    this.#likely = guide.head;
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

  /**
   * A name of the segment by its number, any other text as it is: the last bits say which. Returns
   * whether it is a name.
   */
  text(value: string): boolean {
    const likely = this.#likely?.data[this.#buffer.length] ?? 1;
    if ((likely & 3) === 0 && this.claim.names[likely >> 2] === value) {
      this.#buffer.push(likely);
      return true;
    }
    // Entries and elements of the same MAC or address come one after the other.
    if (value !== this.#last) {
      const symbol = this.claim.symbolOf(value);
      this.#code = symbol === undefined ? this.#verbatim(value) : symbol << 2;
      this.#last = value;
    }
    this.#buffer.push(this.#code);
    return (this.#code & 3) === 0;
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
    const head = this.#table.sequence(this.#buffer, this.#likely);
    this.#head = head.id;
    this.#guide.head = head;
    this.#likely = this.#guide.elements;
    this.#buffer.length = 0;
  }

  endElements(): ElementSection {
    const elements = this.#table.sequence(this.#buffer, this.#likely);
    this.#guide.elements = elements;
    return { code: elements.id, odd: this.odd };
  }

  finish(elements: ElementSection): SegmentSlice {
    const odd = this.odd || elements.odd;
    const code = odd ? undefined : this.#table.text(`${this.#head} ${elements.code}`);
    return { code, tunnels: this.tunnels, elements };
  }
}
