import { dynamicTag, flag1Pie } from './elf-constants.ts';
import type { ElfFile } from './elf-file.ts';
import { ElfReader } from './elf-reader.ts';
import { malformed } from './malformed.ts';
import { readBuildId } from './read-build-id.ts';
import { dynamicValue, readDynamic, readDynamicStrings } from './read-dynamic.ts';
import { readElfHeader } from './read-elf-header.ts';
import { readInterpreter } from './read-interpreter.ts';
import { readProgramHeaders } from './read-program-headers.ts';
import { readSectionHeaders } from './read-section-headers.ts';
import { readString } from './read-string.ts';

/**
 * Reads a 64-bit little-endian ELF executable or shared object for x86-64 or AArch64. Throws
 * `elf_unsupported` for others, `elf_malformed` (what, and at which offset) for what does not hold
 * together.
 */
export function parseElf(bytes: Uint8Array): ElfFile {
  const reader = new ElfReader(bytes);
  const header = readElfHeader(reader);
  const programHeaders = readProgramHeaders(reader, header);
  const sectionHeaders = readSectionHeaders(reader, header);
  const dynamic = readDynamic(reader, programHeaders);
  const strings = readDynamicStrings(reader, { programHeaders, dynamic });
  const text = (index: bigint, what: string): string => {
    if (strings === undefined) throw malformed(`${what} without a dynamic string table`, 0);
    return readString(strings, Number(index), what);
  };
  const optionalText = (tag: number, what: string): string | undefined => {
    const index = dynamicValue(dynamic, tag);
    return index === undefined ? undefined : text(index, what);
  };
  const interpreter = readInterpreter(reader, programHeaders);
  const rpath = optionalText(dynamicTag.rpath, 'DT_RPATH');
  const runpath = optionalText(dynamicTag.runpath, 'DT_RUNPATH');
  const soname = optionalText(dynamicTag.soname, 'DT_SONAME');
  const buildId = readBuildId(reader, programHeaders);
  const kind = kindOf({ header, dynamic, interpreter, soname });
  return {
    header,
    programHeaders,
    sectionHeaders,
    dynamic,
    kind,
    linking:
      dynamic.length === 0 || (kind === 'pie' && interpreter === undefined) ? 'static' : 'dynamic',
    needed: dynamic
      .filter(({ tag }) => tag === dynamicTag.needed)
      .map(({ value }) => text(value, 'DT_NEEDED')),
    ...(interpreter !== undefined && { interpreter }),
    ...(rpath !== undefined && { rpath }),
    ...(runpath !== undefined && { runpath }),
    ...(soname !== undefined && { soname }),
    ...(buildId !== undefined && { buildId }),
  };
}

function kindOf(file: {
  readonly header: ElfFile['header'];
  readonly dynamic: ElfFile['dynamic'];
  readonly interpreter: string | undefined;
  readonly soname: string | undefined;
}): ElfFile['kind'] {
  if (file.header.type === 'executable') return 'executable';
  const flags = dynamicValue(file.dynamic, dynamicTag.flags1) ?? 0n;
  if ((flags & flag1Pie) !== 0n) return 'pie';
  // Older linkers set no DF_1_PIE; libraries that can also be run (libc.so.6) have a name.
  return file.interpreter !== undefined && file.soname === undefined ? 'pie' : 'shared';
}
