import { addressToOffset } from './address-to-offset.ts';
import { dynamicTag, sectionType, symbolSize } from './elf-constants.ts';
import type { ElfFile } from './elf-file.ts';
import type { ElfReader } from './elf-reader.ts';
import { malformed } from './malformed.ts';
import { dynamicValue } from './read-dynamic.ts';

const stringTags: ReadonlySet<number> = new Set([
  dynamicTag.needed,
  dynamicTag.soname,
  dynamicTag.rpath,
  dynamicTag.runpath,
  dynamicTag.config,
  dynamicTag.dependencyAudit,
  dynamicTag.audit,
  dynamicTag.auxiliary,
  dynamicTag.filter,
]);

/**
 * Every index into the dynamic string table that the file uses, or undefined where that cannot be
 * known. Linkers merge a string with the tail of another one, so a string may be changed only when
 * nothing else points into it.
 */
export function stringReferences(reader: ElfReader, file: ElfFile): readonly number[] | undefined {
  const symbols = symbolNames(reader, file);
  if (symbols === undefined) return undefined;
  const entries = file.dynamic
    .filter(({ tag }) => stringTags.has(tag))
    .map(({ value }) => Number(value));
  return [...entries, ...symbols, ...neededVersions(reader, file), ...ownVersions(reader, file)];
}

function symbolNames(reader: ElfReader, file: ElfFile): readonly number[] | undefined {
  const table = dynamicValue(file.dynamic, dynamicTag.symbolTable);
  if (table === undefined) return [];
  const address = Number(table);
  const count = symbolCount(reader, file, address);
  if (count === undefined) return undefined;
  const range = { size: count * symbolSize, what: 'dynamic symbol table' };
  const start = addressToOffset(file.programHeaders, address, range);
  reader.check(start, range);
  return Array.from({ length: count }, (_, index) =>
    reader.u32(start + index * symbolSize, 'symbol name'),
  );
}

/** From the section header or DT_HASH. DT_GNU_HASH does not count undefined symbols. */
function symbolCount(reader: ElfReader, file: ElfFile, address: number): number | undefined {
  const section = file.sectionHeaders.find(
    (candidate) => candidate.type === sectionType.dynamicSymbols && candidate.address === address,
  );
  if (section !== undefined) return Math.floor(section.size / symbolSize);
  const hash = dynamicValue(file.dynamic, dynamicTag.hash);
  if (hash === undefined) return undefined;
  const range = { size: 8, what: 'symbol hash table' };
  return reader.u32(addressToOffset(file.programHeaders, Number(hash), range) + 4, range.what);
}

interface VersionTable {
  readonly addressTag: number;
  readonly countTag: number;
  readonly what: string;
  /** Offsets within a record of the first name, the auxiliary records and the next record. */
  readonly name?: number;
  readonly auxiliary: number;
  readonly next: number;
  readonly auxiliaryName: number;
  readonly auxiliaryNext: number;
}

// Linux Standard Base, "Symbol Versioning": Elf64_Verneed with Elf64_Vernaux.
function neededVersions(reader: ElfReader, file: ElfFile): readonly number[] {
  return versionNames(reader, file, {
    addressTag: dynamicTag.versionNeeds,
    countTag: dynamicTag.versionNeedCount,
    what: 'version needs',
    name: 4,
    auxiliary: 8,
    next: 12,
    auxiliaryName: 8,
    auxiliaryNext: 12,
  });
}

// Elf64_Verdef with Elf64_Verdaux.
function ownVersions(reader: ElfReader, file: ElfFile): readonly number[] {
  return versionNames(reader, file, {
    addressTag: dynamicTag.versionDefinitions,
    countTag: dynamicTag.versionDefinitionCount,
    what: 'version definitions',
    auxiliary: 12,
    next: 16,
    auxiliaryName: 0,
    auxiliaryNext: 4,
  });
}

function versionNames(reader: ElfReader, file: ElfFile, table: VersionTable): readonly number[] {
  const address = dynamicValue(file.dynamic, table.addressTag);
  if (address === undefined) return [];
  const { what } = table;
  const count = Number(dynamicValue(file.dynamic, table.countTag) ?? 0n);
  const names: number[] = [];
  let at = addressToOffset(file.programHeaders, Number(address), { size: 16, what });
  for (let record = 0; record < count; record += 1) {
    // Records do not overlap in a sound file: more names than fit into it is a loop.
    if (names.length > reader.bytes.length / 8) throw malformed(`${what} repeat themselves`, at);
    if (table.name !== undefined) names.push(reader.u32(at + table.name, what));
    let auxiliary = at + reader.u32(at + table.auxiliary, what);
    for (;;) {
      names.push(reader.u32(auxiliary + table.auxiliaryName, what));
      const step = reader.u32(auxiliary + table.auxiliaryNext, what);
      if (step === 0) break;
      auxiliary += step;
      if (names.length > reader.bytes.length / 8) throw malformed(`${what} repeat themselves`, at);
    }
    const step = reader.u32(at + table.next, what);
    if (step === 0) break;
    at += step;
  }
  return names;
}
