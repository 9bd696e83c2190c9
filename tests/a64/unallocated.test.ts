import { decode, encodingClasses } from '@tapline/a64';
import { seededRng, type Rng } from '@tapline/base';
import { haveProgram, temporaryFolder } from '@tapline/testing';
import { describe, expect, test } from 'vitest';
import { buildOracle, oraclePrograms } from './build-oracle.ts';
import { breakpoint, caseRecord, type Cases, emptyCases, signals } from './case-record.ts';
import { randomState, randomWord } from './random-state.ts';
import { runOracle } from './run-oracle.ts';

// TAPLINE_A64_CASES=300000 npx vitest run tests/a64/unallocated.test.ts looks at as many of each kind,
// and at all words for system registers.
const count = Number(process.env['TAPLINE_A64_CASES'] ?? 5000);
const seed = Number(process.env['TAPLINE_A64_SEED'] ?? 1);
const chunk = 20_000;
const systemRegisters = 2 ** 17;
const allRegistersFrom = 100_000;

const missing = oraclePrograms.filter((program) => !haveProgram(program));
const reason = missing.length === 0 ? '' : ` (needs ${missing.join(', ')})`;

/** MDCCSR_EL0, which qemu lets programs read; Linux does not (MDSCR_EL1.TDCC). */
const debugStatus = 0xd5330100;
const isDebugStatus = (word: number): boolean => (word & ~31) >>> 0 === debugStatus;
const isException = (word: number): boolean => word >>> 24 === 0xd4;

type MakeWord = (rng: Rng, index: number) => number;

/** Of a class, with up to two of the bits changed that say which instruction it is. */
const near: MakeWord = (rng) => {
  const { mask, value } = encodingClasses[Math.floor(rng() * encodingClasses.length)] ?? {
    mask: 0,
    value: 0,
  };
  let word = (randomWord(rng) & ~mask) | value;
  for (let flips = Math.floor(rng() * 3); flips > 0; flips--) {
    word ^= 1 << (10 + Math.floor(rng() * 22));
  }
  return word >>> 0;
};

const system: MakeWord = (rng, index) => {
  const register = count < allRegistersFrom ? Math.floor(rng() * systemRegisters) : index;
  return (0xd5000000 | (register << 5) | (rng() < 0.5 ? 31 : 0)) >>> 0;
};

const kinds: readonly (readonly [name: string, make: MakeWord, count: number])[] = [
  ['any', randomWord, count],
  ['nearly an instruction', near, count],
  ['of the system', system, count < allRegistersFrom ? count : systemRegisters],
];

describe.skipIf(missing.length > 0)(
  `what is no instruction is none for qemu's Cortex-A57${reason}`,
  { timeout: 60_000 + count * 2 },
  () => {
    test.each(kinds)('words: %s', async (_, make, wanted) => {
      await using folder = await temporaryFolder();
      const program = buildOracle(folder.path);
      const rng = seededRng(seed);
      const words: number[] = [];
      for (let index = 0; index < wanted; index++) {
        const word = make(rng, index);
        if (decode(word) !== undefined || isException(word) || isDebugStatus(word)) continue;
        words.push(word);
      }
      expect(words.length).toBeGreaterThan(wanted / 20);
      const known: string[] = [];
      for (let first = 0; first < words.length; first += chunk) {
        const some = words.slice(first, first + chunk);
        const results = runOracle(program, { model: 'cortex-a57', cases: casesOf(some, rng) });
        for (const [index, word] of some.entries()) {
          const [signal] = caseRecord(results, index).ending;
          if (signal !== BigInt(signals.undefined)) known.push(`${word.toString(16)}: ${signal}`);
        }
      }
      expect(known).toEqual([]);
    });
  },
);

function casesOf(words: readonly number[], rng: Rng): Cases {
  const cases = emptyCases(words.length);
  for (const [index, word] of words.entries()) {
    const record = caseRecord(cases, index);
    randomState(record, rng);
    record.code.fill(breakpoint);
    record.code[0] = word;
  }
  return cases;
}
