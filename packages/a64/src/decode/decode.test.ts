import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { seededRng } from '@tapline/base';
import { haveProgram, temporaryFolder } from '@tapline/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Instruction } from '../instruction.ts';
import { decode, encodingClassOf } from './decode.ts';
import { encodingClasses } from './encoding-classes.ts';

const objdump = 'aarch64-linux-gnu-objdump';

test('what common words do', () => {
  expect(decode(0x91000420)).toEqual({
    kind: 'add-sub-immediate',
    op: 'add',
    wide: true,
    subtract: false,
    setFlags: false,
    rd: 0,
    rn: 1,
    imm: 1,
  });
  // cmp w0, #1: the destination is the zero register, the source could be SP.
  expect(decode(0x7100041f)).toMatchObject({ op: 'subs', rd: 32, rn: 0, setFlags: true });
  expect(decode(0x910003fd)).toMatchObject({ op: 'add', rd: 29, rn: 31, imm: 0 });
  expect(decode(0x97ffffff)).toEqual({ kind: 'branch', op: 'bl', link: true, offset: -4 });
  expect(decode(0xb200c3e0)).toMatchObject({ op: 'orr', imm: 0x0101010101010101n });
  expect(decode(0xa9be7bfd)).toMatchObject({
    op: 'stp',
    rt: 29,
    rt2: 30,
    rn: 31,
    offset: -32,
    indexing: 'pre',
  });
  expect(decode(0xd4000001)).toEqual({ kind: 'exception', op: 'svc', imm: 0 });
  expect(decode(0)).toBeUndefined();
});

test('any word is an instruction or none; nothing is thrown', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (word) => {
      const instruction = decode(word);
      expect(instruction === undefined || instruction.kind.length > 0).toBe(true);
    }),
    { numRuns: 20_000 },
  );
});

test('signed words are those of the same bits', () => {
  fc.assert(
    fc.property(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), (word) => {
      expect(decode(word)).toEqual(decode(word >>> 0));
    }),
  );
});

test('a layout of other than 32 bits is refused', async () => {
  const { encodingClass } = await import('./encoding-class.ts');
  expect(() => encodingClass('Short', '0 a:30', () => undefined)).toThrow(
    'the layout of Short has 31 bits, not 32',
  );
});

interface Word {
  readonly word: number;
  readonly className: string;
}

function randomWords(perClass: number): readonly Word[] {
  const rng = seededRng(0xa64);
  return encodingClasses.flatMap(({ name, mask, value }) =>
    Array.from({ length: perClass }, () => {
      const bits = Math.floor(rng() * 2 ** 32);
      return { word: ((bits & ~mask) | value) >>> 0, className: name };
    }),
  );
}

test('of overlapping classes only modified immediates are carved from shifts', () => {
  const taken = new Set<string>();
  for (const { word, className } of randomWords(1000)) {
    const found = encodingClassOf(word)?.name;
    if (found !== className) taken.add(`${className} < ${found}`);
  }
  expect([...taken]).toEqual([
    'Advanced SIMD shift by immediate < Advanced SIMD modified immediate',
  ]);
});

// objdump knows later architectures, and takes some bits for fixed that the Arm ARM says are only
// to be written so. What it must agree with is every instruction that we know.
const fixedForObjdump = new Set([
  'Load/store ordered',
  'Load/store exclusive',
  'Load/store exclusive pair',
]);

describe.skipIf(!haveProgram(objdump))(`agrees with ${objdump} (skipped without it)`, () => {
  test('on the mnemonic of 2,000 words of each class', async () => {
    await using folder = await temporaryFolder();
    const words = randomWords(2000);
    const file = join(folder.path, 'words');
    writeFileSync(file, new Uint8Array(new Uint32Array(words.map(({ word }) => word)).buffer));
    const options = ['-D', '-z', '-b', 'binary', '-m', 'aarch64', '-M', 'no-aliases'];
    const listing = execFileSync(objdump, [...options, '--no-show-raw-insn', file], {
      maxBuffer: 2 ** 28,
      encoding: 'utf8',
    });
    const theirs = [...listing.matchAll(/^\s*[0-9a-f]+:\t(\S+)/gm)].map((match) => match[1] ?? '');
    expect(theirs).toHaveLength(words.length);
    let compared = 0;
    const disagreements = new Set<string>();
    for (const [at, { word, className }] of words.entries()) {
      const instruction = decode(word);
      const other = (theirs[at] ?? '').replace(/^b\.\w\w$/, 'b.cond');
      if (instruction === undefined) continue;
      // A base that is written back and loaded is refused by objdump, not by processors.
      if (other === '.inst' && (fixedForObjdump.has(className) || instruction.op === 'ldpsw')) {
        continue;
      }
      if (instruction.op === 'dc' && other === 'sys') continue;
      if (instruction.op === 'ic' && other === 'sys') continue;
      compared++;
      const ours = mnemonicOf(instruction);
      if (ours !== other) {
        disagreements.add(`${word.toString(16)} ${className}: ${ours}, not ${other}`);
      }
    }
    expect([...disagreements]).toEqual([]);
    expect(compared).toBeGreaterThan(60_000);
  });
});

/** As objdump writes it without aliases, but for the condition of branches. */
function mnemonicOf(instruction: Instruction): string {
  // FMOV of an upper half has no name of its own; everything else of upper halves has.
  const upper =
    'upper' in instruction && instruction.upper && instruction.kind !== 'fp-move-general';
  return upper ? `${instruction.op}2` : instruction.op;
}
