import { sectionHeaderSize, sectionType } from './elf-constants.ts';
import type { ElfHeader, SectionHeader } from './elf-file.ts';
import type { ElfReader } from './elf-reader.ts';
import { malformed } from './malformed.ts';
import { readString } from './read-string.ts';

export function readSectionHeaders(reader: ElfReader, header: ElfHeader): readonly SectionHeader[] {
  const { sectionHeaderOffset: start, sectionHeaderCount: count, sectionNameIndex } = header;
  if (count === 0) return [];
  reader.check(start, { size: count * sectionHeaderSize, what: 'section header table' });
  const raw = Array.from({ length: count }, (_, index) => readRaw(reader, { start, index }));
  const names = raw[sectionNameIndex];
  if (names === undefined) {
    throw malformed(`e_shstrndx ${sectionNameIndex} is not below ${count}`, 62);
  }
  const table = { bytes: contentOf(reader, names, 'section names'), offset: names.offset };
  return raw.map((section, index) => ({
    ...section,
    // Index 0 in the header says that there are no names.
    name:
      sectionNameIndex === 0
        ? ''
        : readString(table, section.nameOffset, `name of section ${index}`),
  }));
}

function readRaw(
  reader: ElfReader,
  place: { readonly start: number; readonly index: number },
): Omit<SectionHeader, 'name'> {
  const at = place.start + place.index * sectionHeaderSize;
  const what = `section header ${place.index}`;
  const section = {
    nameOffset: reader.u32(at, what),
    type: reader.u32(at + 4, what),
    flags: reader.size(at + 8, `${what} flags`),
    address: reader.size(at + 16, `${what} address`),
    offset: reader.size(at + 24, `${what} offset`),
    size: reader.size(at + 32, `${what} size`),
    link: reader.u32(at + 40, what),
    info: reader.u32(at + 44, what),
    addressAlign: reader.size(at + 48, `${what} alignment`),
    entrySize: reader.size(at + 56, `${what} entry size`),
  };
  if (section.type !== 0) contentOf(reader, section, `section ${place.index}`);
  return section;
}

function contentOf(
  reader: ElfReader,
  section: Pick<SectionHeader, 'type' | 'offset' | 'size'>,
  what: string,
): Uint8Array {
  const size = section.type === sectionType.noBits ? 0 : section.size;
  return size === 0 ? new Uint8Array() : reader.slice(section.offset, { size, what });
}
