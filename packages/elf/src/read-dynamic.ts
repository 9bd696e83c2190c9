import { dynamicEntrySize, dynamicTag, segmentType } from './elf-constants.ts';
import type { DynamicEntry, ProgramHeader } from './elf-file.ts';
import type { ElfReader } from './elf-reader.ts';
import { malformed } from './malformed.ts';
import { addressToOffset } from './address-to-offset.ts';
import type { StringTable } from './read-string.ts';

/** The entries of PT_DYNAMIC before DT_NULL; none without one, or when it is not in the file. */
export function readDynamic(
  reader: ElfReader,
  programHeaders: readonly ProgramHeader[],
): readonly DynamicEntry[] {
  const segment = programHeaders.find(({ type }) => type === segmentType.dynamic);
  // Separate debug files keep the header and drop the content.
  if (segment === undefined || segment.fileSize === 0) return [];
  const { offset, fileSize } = segment;
  reader.check(offset, { size: fileSize, what: 'dynamic section' });
  const entries: DynamicEntry[] = [];
  for (let at = offset; at + dynamicEntrySize <= offset + fileSize; at += dynamicEntrySize) {
    const tag = reader.u64(at, 'dynamic tag');
    if (tag === 0n) return entries;
    entries.push({ tag: Number(BigInt.asIntN(64, tag)), value: reader.u64(at + 8, 'value') });
  }
  throw malformed('the dynamic section has no DT_NULL at its end', offset);
}

/** The last value of `tag`, which is the one the dynamic loader takes. */
export function dynamicValue(entries: readonly DynamicEntry[], tag: number): bigint | undefined {
  return entries.findLast((entry) => entry.tag === tag)?.value;
}

/** The table of DT_STRTAB and DT_STRSZ. */
export function readDynamicStrings(
  reader: ElfReader,
  file: {
    readonly programHeaders: readonly ProgramHeader[];
    readonly dynamic: readonly DynamicEntry[];
  },
): StringTable | undefined {
  const address = dynamicValue(file.dynamic, dynamicTag.stringTable);
  const size = dynamicValue(file.dynamic, dynamicTag.stringTableSize);
  if (address === undefined || size === undefined) return undefined;
  const range = { size: Number(size), what: 'dynamic string table' };
  const offset = addressToOffset(file.programHeaders, Number(address), range);
  return { bytes: reader.slice(offset, range), offset };
}
