import { decode } from '../decode/decode.ts';
import type { DecodedInstruction } from './guest-block.ts';
import { registerEffects } from './register-effects.ts';
import { resource, resourceBit, resourcesOf, union } from './resource.ts';

const flags = resourceBit(resource.flags);
/** Programs have some ten thousand different words. */
const mostWords = 65_536;

/** What words do, found out once for each: half of a program's words are those of others in it. */
export class DecodedWords {
  readonly #known: Map<number, DecodedInstruction | undefined> = new Map();

  decode(word: number): DecodedInstruction | undefined {
    const known = this.#known.get(word);
    if (known !== undefined || this.#known.has(word)) return known;
    if (this.#known.size >= mostWords) this.#known.clear();
    const decoded = describe(word);
    this.#known.set(word, decoded);
    return decoded;
  }
}

function describe(word: number): DecodedInstruction | undefined {
  const instruction = decode(word);
  if (instruction === undefined) return undefined;
  const { reads, writes, readsFlags, writesFlags } = registerEffects(instruction);
  return {
    instruction,
    reads: readsFlags ? union(resourcesOf(reads), flags) : resourcesOf(reads),
    writes: writesFlags ? union(resourcesOf(writes), flags) : resourcesOf(writes),
  };
}
