import { TaplineError } from '@tapline/base';
import { elfHeaderSize, programHeaderSize, sectionHeaderSize } from './elf-constants.ts';
import type { ElfHeader } from './elf-file.ts';
import type { ElfReader } from './elf-reader.ts';
import { isElf } from './is-elf.ts';
import { malformed } from './malformed.ts';

const machines: ReadonlyMap<number, ElfHeader['machine']> = new Map([
  [62, 'x86_64'],
  [183, 'aarch64'],
]);
const types: ReadonlyMap<number, ElfHeader['type']> = new Map([
  [2, 'executable'],
  [3, 'shared'],
]);

export function readElfHeader(reader: ElfReader): ElfHeader {
  const { bytes } = reader;
  if (!isElf(bytes)) throw malformed('the first bytes are not 7f 45 4c 46', 0);
  reader.check(0, { size: elfHeaderSize, what: 'ELF header' });
  if (bytes[4] !== 2) throw unsupported(`class ${bytes[4]}, only 64-bit (2)`);
  if (bytes[5] !== 1) throw unsupported(`byte order ${bytes[5]}, only little-endian (1)`);
  if (bytes[6] !== 1) throw unsupported(`version ${bytes[6]}, only 1`);
  const machineNumber = reader.u16(18, 'machine');
  const machine = machines.get(machineNumber);
  if (machine === undefined) {
    throw unsupported(`machine ${machineNumber}, only x86-64 (62) and AArch64 (183)`);
  }
  const typeNumber = reader.u16(16, 'type');
  const type = types.get(typeNumber);
  if (type === undefined) {
    throw unsupported(`type ${typeNumber}, only executables (2) and shared objects (3)`);
  }
  const programHeaderCount = reader.u16(56, 'e_phnum');
  const sectionHeaderOffset = reader.size(40, 'e_shoff');
  const sectionHeaderCount = reader.u16(60, 'e_shnum');
  const sectionNameIndex = reader.u16(62, 'e_shstrndx');
  // gABI: these values move the real count to section 0, for more than 65279 of them.
  if (
    programHeaderCount === 0xffff ||
    sectionNameIndex === 0xffff ||
    (sectionHeaderCount === 0 && sectionHeaderOffset !== 0)
  ) {
    throw unsupported('extended numbering of its headers');
  }
  checkEntrySize(reader, { at: 54, count: programHeaderCount, expected: programHeaderSize });
  checkEntrySize(reader, { at: 58, count: sectionHeaderCount, expected: sectionHeaderSize });
  return {
    type,
    machine,
    entry: reader.size(24, 'e_entry'),
    programHeaderOffset: reader.size(32, 'e_phoff'),
    programHeaderCount,
    sectionHeaderOffset,
    sectionHeaderCount,
    sectionNameIndex,
  };
}

function checkEntrySize(
  reader: ElfReader,
  field: { readonly at: number; readonly count: number; readonly expected: number },
): void {
  const size = reader.u16(field.at, 'header entry size');
  if (field.count > 0 && size !== field.expected) {
    throw malformed(`header entries have ${size} bytes, not ${field.expected}`, field.at);
  }
}

function unsupported(what: string): TaplineError {
  return new TaplineError('elf_unsupported', `unsupported ELF file: it has ${what}`);
}
