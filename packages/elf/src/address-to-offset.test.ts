import { describe, expect, test } from 'vitest';
import { addressToOffset, findOffset } from './address-to-offset.ts';
import { segmentType } from './elf-constants.ts';
import type { ProgramHeader } from './elf-file.ts';

function load(place: Partial<ProgramHeader>): ProgramHeader {
  return {
    type: segmentType.load,
    flags: 4,
    offset: 0,
    virtualAddress: 0x3ff000,
    physicalAddress: 0n,
    fileSize: 0x1000,
    memorySize: place.fileSize ?? 0x1000,
    align: 0x1000,
    ...place,
  };
}

const first = load({});
const second = load({ offset: 0x1000, virtualAddress: 0x400000, fileSize: 0x800 });

describe('a range', () => {
  test.each([
    ['within the first segment', 0x3ff100, 0x100, 0x100],
    ['up to its end', 0x3ff100, 0xf00, 0x100],
    ['that goes on in the next one', 0x3ffff0, 0x20, 0xff0],
    ['of both, to the last byte', 0x3ff000, 0x1800, 0],
    ['within the second one', 0x400000, 0x800, 0x1000],
    ['of nothing, at the end', 0x400800, 0, 0x1800],
    ['one byte too long', 0x3ff000, 0x1801, undefined],
    ['before them', 0x3fefff, 2, undefined],
    ['after them', 0x400800, 1, undefined],
    ['longer than any file', 0x3ff000, 2 ** 64, undefined],
  ])('%s', (_name, address, size, offset) => {
    expect(findOffset([first, second], address, size)).toBe(offset);
    expect(findOffset([second, first], address, size)).toBe(offset);
  });
});

test.each<[string, readonly ProgramHeader[]]>([
  ['a gap in the file', [first, { ...second, offset: 0x2000 }]],
  ['a gap in memory', [first, { ...second, virtualAddress: 0x401000 }]],
  ['zeros after the file content', [{ ...first, memorySize: 0x2000 }, second]],
  ['a segment that is not loaded', [first, { ...second, type: segmentType.note }]],
])('does not go on over %s', (_name, segments) => {
  expect(() => addressToOffset(segments, 0x3ffff0, { size: 0x20, what: 'table' })).toThrow(
    expect.objectContaining({
      code: 'elf_malformed',
      message: expect.stringContaining('table of 32 bytes at address 0x3ffff0 is in no segment'),
    }),
  );
});

test('an address where one segment ends belongs to the one that starts there', () => {
  const elsewhere = { ...second, offset: 0x5000 };
  expect(findOffset([first, elsewhere], 0x400000, 4)).toBe(0x5000);
});

test('segments without content lead nowhere', () => {
  const empty = load({ offset: 0x1000, virtualAddress: 0x400000, fileSize: 0 });
  expect(findOffset([first, empty, second], 0x3ffff0, 0x20)).toBe(0xff0);
  expect(findOffset([first, empty], 0x3ffff0, 0x20)).toBeUndefined();
});
