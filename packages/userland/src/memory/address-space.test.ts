import { guestPageSize, lowestGuestAddress, pagePermission } from '@tapline/a64';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { testPool } from '../testing/test-space.ts';
import type { AddressSpace } from './address-space.ts';

const { read, write } = pagePermission;
const lowest = lowestGuestAddress;
const size = 0x400000;
const page = guestPageSize;

function space(): AddressSpace {
  return testPool({ bytes: size }).space();
}

test('the heap grows and shrinks, and what is new is zero', () => {
  const memory = space();
  memory.startHeap(lowest + 1);
  const start = lowest + page;
  expect(memory.setBreak(0)).toBe(start);
  expect(memory.setBreak(start + 0x800)).toBe(start + 0x800);
  memory.memory.write(start, 5n, 3);
  expect(memory.setBreak(start)).toBe(start);
  expect(memory.memory.permissionsOf(start)).toBe(0);
  memory.setBreak(start + page);
  expect(memory.memory.read(start, 3)).toBe(0n);
});

test('the heap stops at what is mapped', () => {
  const memory = space();
  memory.startHeap(lowest);
  memory.mapAt(lowest + 2 * page, { length: 1, permissions: read });
  expect(memory.setBreak(lowest + 2 * page + 1)).toBe(lowest);
  expect(memory.setBreak(lowest + 2 * page)).toBe(lowest + 2 * page);
});

test('places are found from the top down, and given back', () => {
  const memory = space();
  const first = memory.map({ length: page + 1, permissions: read | write });
  expect(memory.map({ length: 1, permissions: 0 })).toBe(first - page);
  memory.unmap(first, 2 * page);
  expect(memory.map({ length: 2 * page, permissions: read })).toBe(first);
  expect(() => memory.map({ length: size, permissions: read })).toThrow('error 12');
});

test('what is reserved costs nothing, what is used counts against the limit', () => {
  const { space: make, budget } = testPool({ bytes: size });
  const memory = make();
  const at = memory.map({ length: 64 * page, permissions: 0 });
  expect(budget.used).toBe(0);
  memory.protect(at, { length: 4 * page, permissions: read | write });
  expect(budget.used).toBe(4 * page);
  expect(memory.regions()).toHaveLength(2);
  memory.unmap(at + page, page);
  expect(budget.used).toBe(3 * page);
  memory.release();
  expect(budget.used).toBe(0);
});

test('a copy has the same bytes, and goes its own way', () => {
  const parent = space();
  const at = parent.map({ length: page, permissions: read | write });
  parent.memory.write(at, 7n, 3);
  const child = parent.fork();
  child.memory.write(at, 8n, 3);
  expect([parent.memory.read(at, 3), child.memory.read(at, 3)]).toEqual([7n, 8n]);
});

test('who is put aside comes back with all it had', () => {
  const { space: make } = testPool({ bytes: size, machines: 2 });
  const spaces = Array.from({ length: 5 }, make);
  const places = spaces.map((one, index) => {
    const at = one.map({ length: page, permissions: read | write });
    one.memory.write(at, BigInt(index), 3);
    return at;
  });
  for (const [index, one] of spaces.entries()) {
    expect(one.memory.read(places[index] ?? 0, 3)).toBe(BigInt(index));
    expect(one.memory.permissionsOf(places[index] ?? 0)).toBe(read | write);
  }
});

test('nothing below the lowest address or beyond the end is ever given or changed', () => {
  const number = fc.integer({ min: -0x2000, max: size + 0x4000 });
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(5), number, number), { maxLength: 30 }), (calls) => {
      const { space: make, budget } = testPool({ bytes: size });
      const memory = make();
      memory.startHeap(lowest);
      for (const [call, a, b] of calls) {
        const at = a - (a % page);
        const length = Math.abs(b);
        try {
          if (call === 0) memory.setBreak(a);
          else if (call === 1) memory.map({ length, permissions: read | write });
          else if (call === 2) memory.mapAt(at, { length, permissions: read });
          else if (call === 3) memory.unmap(at, length);
          else if (call === 4) memory.discard(at, length);
          else memory.protect(at, { length, permissions: write });
        } catch {
          // Refused; what matters is what is mapped afterwards.
        }
      }
      for (let below = 0; below < lowest; below += page) {
        expect(memory.memory.permissionsOf(below)).toBe(0);
      }
      // What the machine is told, what the list says and what is charged are one.
      let charged = 0;
      let before = 0;
      for (const { start, end, permissions } of memory.regions()) {
        expect(start).toBeGreaterThanOrEqual(before);
        before = end;
        if (permissions !== 0) charged += end - start;
        for (let at = start; at < end; at += page) {
          expect(memory.memory.permissionsOf(at)).toBe(permissions);
        }
      }
      expect(budget.used).toBe(charged);
    }),
    { numRuns: 40 },
  );
});
