import { guestPageSize, LinearMemory, pagePermission } from '@tapline/a64';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AddressSpace } from './address-space.ts';

const { read, write } = pagePermission;
const lowest = 0x4000;
const size = 0x40000;

function space(): AddressSpace {
  const memory = new LinearMemory(new ArrayBuffer(size), new Uint8Array(size / guestPageSize));
  return new AddressSpace(memory, lowest);
}

test('the heap grows and shrinks, and what is new is zero', () => {
  const memory = space();
  memory.startHeap(0x5001);
  expect(memory.setBreak(0)).toBe(0x6000);
  expect(memory.setBreak(0x6800)).toBe(0x6800);
  memory.memory.write(0x6000, 5n, 3);
  expect(memory.setBreak(0x6000)).toBe(0x6000);
  expect(memory.memory.permissionsOf(0x6000)).toBe(0);
  memory.setBreak(0x7000);
  expect(memory.memory.read(0x6000, 3)).toBe(0n);
});

test('the heap stops at what is mapped, and at the end', () => {
  const memory = space();
  memory.startHeap(0x5000);
  memory.mapAt(0x8000, { length: 1, permissions: read });
  expect(memory.setBreak(0x8001)).toBe(0x5000);
  expect(memory.setBreak(0x8000)).toBe(0x8000);
  expect(memory.setBreak(size + 1)).toBe(0x8000);
});

test('places are found from the top down, and given back', () => {
  const memory = space();
  const first = memory.map({ length: 0x1001, permissions: read | write });
  expect(first).toBe(size - 0x2000);
  expect(memory.map({ length: 1, permissions: 0 })).toBe(size - 0x3000);
  memory.unmap(first, 0x2000);
  expect(memory.map({ length: 0x2000, permissions: read })).toBe(first);
  expect(() => memory.map({ length: size, permissions: read })).toThrow('error 12');
});

test('a page without permissions is still taken', () => {
  const memory = space();
  const page = memory.map({ length: 1, permissions: 0 });
  expect(memory.memory.permissionsOf(page) & (read | write)).toBe(0);
  expect(memory.map({ length: 1, permissions: 0 })).not.toBe(page);
});

test('nothing below the lowest address or beyond the end is ever given or changed', () => {
  const number = fc.integer({ min: -0x2000, max: size + 0x4000 });
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(4), number, number), { maxLength: 30 }), (calls) => {
      const memory = space();
      memory.startHeap(lowest);
      for (const [call, a, b] of calls) {
        const page = a - (a % guestPageSize);
        const length = Math.abs(b);
        try {
          if (call === 0) memory.setBreak(a);
          else if (call === 1) memory.map({ length, permissions: read | write });
          else if (call === 2) memory.mapAt(page, { length, permissions: read });
          else if (call === 3) memory.unmap(page, length);
          else memory.protect(page, { length, permissions: write });
        } catch {
          // Refused; what matters is what is mapped afterwards.
        }
      }
      for (let page = 0; page < lowest; page += guestPageSize) {
        expect(memory.memory.permissionsOf(page)).toBe(0);
      }
    }),
  );
});
