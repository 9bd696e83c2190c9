import type { CommonBytes, InflatedBlock } from '@tapline/oci';

/** A block of the bottle that stands for bytes of a piece. */
export interface LoggedBlock {
  readonly block: InflatedBlock;
  /** Where its first byte is in the piece, if all of it can stand there as it is. */
  readonly wholeAt: number | undefined;
  /** Else what the piece has of it. */
  readonly common: readonly CommonBytes[];
}

/** There is a block of the encoder's behind what is kept, and it has to be worth it. */
const leastBytes = 1024;

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
   * The blocks that are worth keeping for a piece that has `spans` of the bottle. Spans have to come in
   * the order of the bottle: earlier blocks are forgotten.
   */
  within(spans: readonly CommonBytes[]): readonly LoggedBlock[] {
    const logged: LoggedBlock[] = [];
    const last = spans.at(-1);
    if (last === undefined) return logged;
    const end = last.source + last.length;
    let first = 0;
    for (let index = this.#first; index < this.#blocks.length; index += 1) {
      const block = this.#blocks[index];
      if (block === undefined || block.start >= end) break;
      // What goes on in the next piece is wanted again.
      if (block.end <= end) this.#first = index + 1;
      while (first < spans.length && endOf(spans[first]) <= block.start) first += 1;
      const found = inBlock(block, spans, first);
      if (found !== undefined) logged.push(found);
    }
    if (this.#first > 1000) this.#blocks.splice(0, this.#first);
    if (this.#first > 1000) this.#first = 0;
    return logged;
  }
}

function inBlock(
  block: InflatedBlock,
  spans: readonly CommonBytes[],
  first: number,
): LoggedBlock | undefined {
  const common: CommonBytes[] = [];
  for (let index = first; index < spans.length; index += 1) {
    const span = spans[index];
    if (span === undefined || span.source >= block.end) break;
    if (span.source <= block.reach && endOf(span) >= block.end) {
      return { block, wholeAt: span.at + block.start - span.source, common: [span] };
    }
    const overlap = Math.min(endOf(span), block.end) - Math.max(span.source, block.start);
    if (overlap >= leastBytes) common.push(span);
  }
  return common.length === 0 ? undefined : { block, wholeAt: undefined, common };
}

function endOf(span: CommonBytes | undefined): number {
  return span === undefined ? 0 : span.source + span.length;
}
