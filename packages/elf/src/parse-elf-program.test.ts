import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseElf } from './parse-elf.ts';
import { parseElfProgram } from './parse-elf-program.ts';

const sectionHeaderOffset = 40;

test('is the same as what all of the file says', () => {
  const bytes = new Uint8Array(readFileSync(process.execPath));
  const { header, programHeaders, interpreter } = parseElf(bytes);
  expect(parseElfProgram(bytes)).toEqual({ header, programHeaders, interpreter });
});

test('sections that are not there do not matter', () => {
  const bytes = new Uint8Array(readFileSync(process.execPath));
  new DataView(bytes.buffer).setBigUint64(sectionHeaderOffset, BigInt(bytes.length) + 4096n, true);
  expect(() => parseElf(bytes)).toThrow(/section header/);
  expect(parseElfProgram(bytes).programHeaders.length).toBeGreaterThan(0);
});
