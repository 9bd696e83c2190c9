import { type FieldBlock, parseFieldBlock } from './field-block.ts';
import type { RefusedHead } from './refused-head.ts';

/** A longer block is not remembered, because ten thousand connections remember theirs. */
const maxChars = 2048;

/**
 * The field lines of one connection. A client sends the same ones with each request, so those of the
 * last head are remembered with what they say: of the next one only the request line is parsed.
 */
export class FieldMemory {
  #text: string | undefined;
  #block: FieldBlock | undefined;

  readonly parse = (text: string | undefined): FieldBlock | RefusedHead => {
    if (this.#block !== undefined && this.#text === text) return this.#block;
    const block = parseFieldBlock(text);
    if (block.kind === 'block' && text !== undefined && text.length <= maxChars) {
      this.#text = text;
      this.#block = block;
    }
    return block;
  };
}
