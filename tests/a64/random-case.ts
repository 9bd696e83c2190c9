import { decode, type Instruction } from '@tapline/a64';
import type { Rng } from '@tapline/base';
import {
  breakpoint,
  type CaseRecord,
  codeAddress,
  windowAddress,
  windowSize,
} from './case-record.ts';
import { pick, randomState, randomWord } from './random-state.ts';

const middle = windowAddress + windowSize / 2;

/**
 * Makes a record a case: a word and a state to run it in. Where the state is left to chance, nearly
 * every load faults and every branch leaves the code; so bases and targets are steered, but for some.
 */
export function randomCase(
  record: CaseRecord,
  how: { readonly word: number; readonly rng: Rng; readonly index: number },
): void {
  const { word, rng, index } = how;
  randomState(record, rng);
  record.code.fill(breakpoint);
  record.code[0] = word;
  const instruction = decode(word);
  if (instruction === undefined) return;
  const start = codeAddress(index);
  steerBranch({ record, word, instruction, rng });
  // What a store-exclusive without its load does elsewhere is up to the processor.
  if (instruction.kind === 'load-store-exclusive' || rng() < 0.97)
    steerAddresses({ record, word, instruction, rng }, start);
}

interface Steering {
  readonly record: CaseRecord;
  readonly word: number;
  readonly instruction: Instruction;
  readonly rng: Rng;
}

/** To the breakpoints around a case: further away is the code of others. */
function steerBranch({ record, word, instruction, rng }: Steering): void {
  const { code } = record;
  switch (instruction.kind) {
    case 'branch':
      code[0] = withField(word, { at: 0, bits: 26 }, near(rng));
      break;
    case 'branch-conditional':
    case 'compare-branch':
      code[0] = withField(word, { at: 5, bits: 19 }, near(rng));
      break;
    case 'test-branch':
      code[0] = withField(word, { at: 5, bits: 14 }, near(rng));
      break;
    default:
  }
}

function steerAddresses(what: Steering, start: number): void {
  const { record, word, instruction, rng } = what;
  switch (instruction.kind) {
    case 'branch-register':
      setGeneral(record, instruction.rn, start + near(rng) * 4);
      break;
    case 'load-literal': {
      const distance = (windowAddress + 64 - start) / 4 + Math.floor(rng() * 16);
      record.code[0] = withField(word, { at: 5, bits: 19 }, distance);
      break;
    }
    case 'load-store-immediate':
    case 'load-store-pair': {
      const offset = instruction.indexing === 'post' ? 0 : instruction.offset;
      setGeneral(record, instruction.rn, middle + jitter(rng) - offset);
      break;
    }
    case 'load-store-register': {
      const offset = BigInt(Math.floor(rng() * 4));
      // The upper half is not looked at, where 32 bits are extended.
      const narrow = (instruction.extend & 1) === 0;
      const upper = narrow ? BigInt(randomWord(rng)) << 32n : 0n;
      setGeneral(record, instruction.rm, upper | offset);
      setGeneral(record, instruction.rn, middle + jitter(rng));
      break;
    }
    case 'load-store-exclusive':
      setGeneral(record, instruction.rn, middle);
      if (!instruction.load) loadBefore(what);
      break;
    case 'load-store-ordered':
    case 'atomic':
      setGeneral(record, instruction.rn, middle);
      break;
    case 'compare-and-swap':
      setGeneral(record, instruction.rn, middle);
      if (rng() < 0.5) expectMemory(record, instruction);
      break;
    case 'load-store-structures':
    case 'load-store-lane':
      setGeneral(record, instruction.rn, middle - 32 + jitter(rng));
      break;
    case 'zero-block':
      setGeneral(record, instruction.rt, middle + jitter(rng));
      break;
    case 'nothing':
    case 'synchronise-code':
      // Cache maintenance, which takes an address.
      setGeneral(record, word & 31, middle);
      break;
    default:
  }
}

/** A store-exclusive goes through after its load only. */
function loadBefore({ record, word, rng }: Steering): void {
  if (rng() < 0.1) return;
  // Bit 22 is L; what is loaded goes to any register.
  const load = withField(word | (1 << 22), { at: 0, bits: 5 }, Math.floor(rng() * 31));
  record.code.set([load, word]);
}

/** What memory holds is what is compared with. */
function expectMemory(
  record: CaseRecord,
  instruction: Extract<Instruction, { readonly kind: 'compare-and-swap' }>,
): void {
  const { size, pair, rs, rn } = instruction;
  const view = new DataView(record.window.buffer, record.window.byteOffset);
  for (let index = 0; index < (pair ? 2 : 1); index++) {
    const value = view.getBigUint64(windowSize / 2 + (index << size), true);
    if (rs + index !== rn) setGeneral(record, rs + index, BigInt.asUintN(8 << size, value));
  }
}

/** In instructions; never to itself. */
function near(rng: Rng): number {
  return pick(rng, [-4, -3, -2, -1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
}

function jitter(rng: Rng): number {
  return rng() < 0.5 ? 0 : Math.floor(rng() * 32) - 16;
}

function withField(
  word: number,
  field: { readonly at: number; readonly bits: number },
  value: number,
): number {
  const mask = 2 ** field.bits - 1;
  return ((word & ~(mask << field.at)) | ((value & mask) << field.at)) >>> 0;
}

function setGeneral({ general }: CaseRecord, register: number, value: number | bigint): void {
  if (register < general.length) general[register] = BigInt(value);
}
