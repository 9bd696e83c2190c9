import type { InflatedBlock } from '@tapline/oci';

/** Bytes of a piece that are in the unpacked bottle, too. */
export interface Span {
  /** In the piece. */
  readonly at: number;
  readonly length: number;
  /** In the unpacked bottle. */
  readonly source: number;
}

/** A block of the bottle that can stand in a piece as it is. */
export interface KeptBlock {
  /** Where its bytes begin in the piece. */
  readonly at: number;
  readonly block: InflatedBlock;
}

/** Between two that are kept there is a block of the encoder's, which has to be worth it. */
const leastBytes = 4096;

/** Remembers where the blocks of a bottle are until what they stand for was written. */
export class BlockLog {
  readonly #blocks: InflatedBlock[] = [];
  #first = 0;

  add(block: InflatedBlock): void {
    const { start, end, bitStart, bitEnd } = block;
    const shrinks = bitEnd - bitStart < (end - start) * 8;
    if (end - start >= leastBytes && shrinks) this.#blocks.push(block);
  }

  /**
   * The blocks that stand for bytes of `spans` alone, and refer to nothing outside of the span. Spans
   * have to come in the order of the bottle: earlier blocks are forgotten.
   */
  keep(spans: readonly Span[]): readonly KeptBlock[] {
    const kept: KeptBlock[] = [];
    for (const { at, length, source } of spans) {
      for (; this.#first < this.#blocks.length; this.#first += 1) {
        const block = this.#blocks[this.#first];
        if (block === undefined || block.end > source + length) break;
        if (block.reach >= source) kept.push({ at: at + block.start - source, block });
      }
    }
    if (this.#first > 1000) this.#blocks.splice(0, this.#first);
    if (this.#first > 1000) this.#first = 0;
    return kept;
  }
}
