import { expect, test } from 'vitest';
import { guestPageSize, pagePermission } from '../interpret/linear-memory.ts';
import { artefactKey, decodeArtefact, encodeArtefact } from './code-artefact.ts';
import { CodeCache } from './code-cache.ts';
import { GuestMachine } from './guest-machine.ts';

const { read, execute } = pagePermission;
const code = 0x280000;
const environment = { counter: () => 0n, counterFrequency: 1n, identification: () => 0n };

function machine(
  words: readonly number[],
  options: { readonly cache?: CodeCache; readonly hotAfter?: number },
): GuestMachine {
  const guest = new GuestMachine({ bytes: 0x400000, environment, ...options });
  load(guest, words);
  return guest;
}

function load({ memory, cpu }: GuestMachine, words: readonly number[]): void {
  memory.protect(code, { length: guestPageSize, permissions: read | execute });
  for (const [index, word] of words.entries()) memory.write(code + index * 4, BigInt(word), 2);
  cpu.pc = BigInt(code);
  cpu.setX(0, 0n);
  cpu.setX(1, 10_000n);
}

// 1: add x0, x0, #1; subs x1, x1, #1; b.ne 1b; brk #0
const counting = [0x91000400, 0xf1000421, 0x54ffffc1, 0xd4200000];
// The same by twos.
const countingByTwos = [0x91000800, ...counting.slice(1)];
const breakpoint = { kind: 'breakpoint', imm: 0 };
/** A turn of the loop takes one. */
const enoughFuel = 11_000;

test('a machine runs what another has translated', () => {
  const cache = new CodeCache();
  machine(counting, { cache }).translate([code]);
  const guest = machine(counting, { cache });
  expect(guest.run(enoughFuel)).toEqual(breakpoint);
  expect(guest.isTranslated(code)).toBe(true);
  expect(guest.cpu.x(0)).toBe(10_000n);
});

test('other code at the same address is not taken for it', () => {
  const cache = new CodeCache();
  machine(counting, { cache }).translate([code]);
  const guest = machine(countingByTwos, { cache });
  expect(guest.run(enoughFuel)).toEqual(breakpoint);
  expect(guest.isTranslated(code)).toBe(false);
  expect(guest.cpu.x(0)).toBe(20_000n);
});

test('code that goes and comes back is not translated again', () => {
  const cache = new CodeCache();
  const guest = machine(counting, { cache });
  guest.translate([code]);
  load(guest, countingByTwos);
  guest.run(enoughFuel);
  expect(guest.isTranslated(code)).toBe(false);
  expect(guest.cpu.x(0)).toBe(20_000n);
  load(guest, counting);
  expect(guest.run(enoughFuel)).toEqual(breakpoint);
  expect(guest.isTranslated(code)).toBe(true);
  expect(guest.cpu.x(0)).toBe(10_000n);
  expect(cache.list()).toHaveLength(1);
});

test('what was stored is run by who loads it', () => {
  const made = new CodeCache();
  machine(counting, { cache: made }).translateRange({ start: code, end: code + 16 });
  // Nothing calls the loop, so nothing says that it begins there.
  expect(made.list()).toEqual([]);
  machine(counting, { cache: made }).translate([code]);
  const stored = encodeArtefact(made.list());
  const cache = new CodeCache();
  for (const each of decodeArtefact(stored) ?? []) cache.add(each);
  const guest = machine(counting, { cache });
  expect(guest.run(enoughFuel)).toEqual(breakpoint);
  expect(guest.isTranslated(code)).toBe(true);
});

test('an artefact of another translator is not used, and one that was cut is refused', () => {
  const cache = new CodeCache();
  machine(counting, { cache }).translate([code]);
  const stored = encodeArtefact(cache.list());
  expect(() => decodeArtefact(stored.slice(0, -1))).toThrow('an artefact of code has');
  expect(() => decodeArtefact(new Uint8Array(3))).toThrow('3 bytes are no artefact of code');
  stored[4] = 255;
  expect(decodeArtefact(stored)).toBeUndefined();
  expect(artefactKey({ id: 'abc', address: 0x400000 })).toMatch(/^a64-\d+-abc-400000$/);
});

test('a range is translated as far as functions are called in it', () => {
  // bl 12; brk #0; nop; 12: mov x0, #7; ret
  const words = [0x94000003, 0xd4200000, 0xd503201f, 0xd28000e0, 0xd65f03c0];
  const cache = new CodeCache();
  machine(words, { cache }).translateRange({ start: code, end: code + 20 });
  expect(cache.list().map(({ entries }) => entries)).toEqual([[code + 12]]);
});

test('what was called a good deal is translated for who comes after', () => {
  const cache = new CodeCache();
  // mov x1, #10; 4: bl 20; subs x1, x1, #1; b.ne 4; brk #0; 20: mov x0, #7; ret
  const words = [
    0xd2800141, 0x94000004, 0xf1000421, 0x54ffffc1, 0xd4200000, 0xd28000e0, 0xd65f03c0,
  ];
  const first = machine(words, { cache, hotAfter: 40 });
  expect(first.run(100)).toEqual(breakpoint);
  expect(cache.list()).toEqual([]);
  first.translateVisited();
  expect(cache.list().map(({ entries }) => entries)).toEqual([[code + 20]]);
});

test('a loop that is hot in no program, but in many together, is translated', () => {
  const cache = new CodeCache();
  const nop = 0xd503201f;
  const turns = 60n;
  for (let programs = 0; programs < 4; programs++) {
    // Where the program begins is come to from outside, the loop only by itself.
    const guest = machine([nop, ...counting], { cache, hotAfter: 100 });
    guest.cpu.setX(1, turns);
    expect(guest.run(1000)).toEqual(breakpoint);
    expect(guest.cpu.x(0)).toBe(turns);
    expect(cache.list()).toEqual([]);
    guest.translateVisited();
  }
  expect(cache.list().map(({ entries }) => entries)).toEqual([[code + 4]]);
});

test('a function that is called from time to time, and has the interpreter work, becomes hot', () => {
  // mov x1, #3; 4: bl 20; subs x1, x1, #1; b.ne 4; brk #0; 20: 40 of mrs x2, cntvct_el0; ret
  const counters = Array.from({ length: 40 }, () => 0xd53be042);
  const words = [
    0xd2800061,
    0x94000004,
    0xf1000421,
    0x54ffffc1,
    0xd4200000,
    ...counters,
    0xd65f03c0,
  ];
  const guest = machine(words, { hotAfter: 1000 });
  expect(guest.run(1000)).toEqual(breakpoint);
  expect(guest.isTranslated(code + 20)).toBe(true);
  expect(guest.isTranslated(code + 4)).toBe(false);
});
