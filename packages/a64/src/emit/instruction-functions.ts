import { buildModule } from './build-module.ts';
import type { CodeCache } from './code-cache.ts';
import { controlFlow } from './control-flow.ts';
import { dataFlow } from './data-flow.ts';
import { DecodedWords } from './decoded-words.ts';
import { emitInline } from './emit-instruction.ts';
import type { GuestBlock } from './guest-block.ts';
import { createGuestFunction, loadFloat, loadResources, storeResources } from './guest-function.ts';
import { sharedFunctions } from './shared-functions.ts';
import { usesFloat } from './uses-float.ts';

/** Times that a word is interpreted before it gets a function. */
const worthIt = 16;
const mostWords = 4096;

/** Does all that a word does, but for the PC; 1 where the interpreter has to, and nothing was changed. */
export type RunInstruction = () => bigint;

/**
 * Instructions that cold code does not know and comes to again and again, most of them of vectors and
 * numbers, each as a WebAssembly function of its own. The interpreter has lanes as big integers, which is hundreds of times slower; and
 * what is cold together may be a third of a short program's time.
 */
export class InstructionFunctions {
  readonly #cache: CodeCache;
  readonly #instantiate: (module: WebAssembly.Module, word: number) => RunInstruction;
  /** How often a word came, or what does it; undefined for what has no function. */
  readonly #known: Map<number, number | RunInstruction | undefined> = new Map();

  constructor(
    cache: CodeCache,
    instantiate: (module: WebAssembly.Module, word: number) => RunInstruction,
  ) {
    this.#cache = cache;
    this.#instantiate = instantiate;
  }

  find(word: number): RunInstruction | undefined {
    const known = this.#known.get(word);
    if (typeof known === 'function') return known;
    if (known === undefined && this.#known.has(word)) return undefined;
    const count = known ?? 0;
    if (count < worthIt) {
      if (this.#known.size < mostWords) this.#known.set(word, count + 1);
      return undefined;
    }
    const module = this.#cache.instruction(word, instructionModule);
    const run = module === undefined ? undefined : this.#instantiate(module, word);
    this.#known.set(word, run);
    return run;
  }
}

/** Nothing for what leaves the function, or depends on the PC. */
function instructionModule(word: number): Uint8Array<ArrayBuffer> | undefined {
  const decoded = new DecodedWords().decode(word);
  if (decoded === undefined) return undefined;
  if (!standsAlone(decoded.instruction.kind) && !usesFloat(decoded.instruction)) return undefined;
  const placed = { pc: 0, ...decoded };
  const block: GuestBlock = { pc: 0, instructions: [placed], end: { kind: 'interpret', pc: 4 } };
  const flow = dataFlow(controlFlow(new Map([[0, block]]), block), block);
  const guest = { ...createGuestFunction(flow), alone: true };
  loadResources(guest, flow.entry);
  if (flow.usesFloat) loadFloat(guest);
  const state = { flags: undefined, checked: [], numbers: new Map() };
  if (!emitInline(guest, { placed, ahead: [placed], state })) return undefined;
  storeResources(guest, decoded.writes);
  guest.body.i64(0);
  return buildModule([...sharedFunctions(), { code: guest.body.encode(), type: 'guest' }]);
}

function standsAlone(kind: string): boolean {
  switch (kind) {
    case 'load-store-structures':
    case 'load-store-lane':
    case 'load-store-immediate':
    case 'load-store-pair':
    case 'atomic':
    case 'compare-and-swap':
    case 'three-source':
    case 'zero-block':
    case 'vector-lanes':
    case 'vector-one':
    case 'vector-shift':
    case 'vector-shift-long':
    case 'vector-shift-narrow':
    case 'vector-narrow':
    case 'vector-narrow-high':
    case 'vector-long':
    case 'vector-wide':
    case 'vector-pairwise':
    case 'vector-permute':
    case 'vector-extract':
    case 'vector-reverse':
    case 'vector-table':
    case 'vector-across':
    case 'vector-add-long-pairs':
    case 'vector-logical':
    case 'vector-immediate':
    case 'vector-duplicate':
    case 'vector-duplicate-general':
    case 'vector-to-general':
    case 'vector-insert-general':
    case 'vector-insert':
    case 'fp-move-general':
    case 'aes':
    case 'sha-two':
    case 'sha-three':
      return true;
    default:
      return false;
  }
}
