import { programHeaderSize, segmentType } from './elf-constants.ts';
import type { ElfHeader, ProgramHeader } from './elf-file.ts';
import type { ElfReader } from './elf-reader.ts';
import { malformed } from './malformed.ts';

export function readProgramHeaders(reader: ElfReader, header: ElfHeader): readonly ProgramHeader[] {
  const { programHeaderOffset: start, programHeaderCount: count } = header;
  reader.check(start, { size: count * programHeaderSize, what: 'program header table' });
  return Array.from({ length: count }, (_, index) => {
    const at = start + index * programHeaderSize;
    const what = `program header ${index}`;
    const segment: ProgramHeader = {
      type: reader.u32(at, what),
      flags: reader.u32(at + 4, what),
      offset: reader.size(at + 8, `${what} offset`),
      virtualAddress: reader.size(at + 16, `${what} address`),
      physicalAddress: reader.u64(at + 24, what),
      fileSize: reader.size(at + 32, `${what} size`),
      memorySize: reader.size(at + 40, `${what} memory size`),
      align: reader.size(at + 48, `${what} alignment`),
    };
    if (segment.type === segmentType.load) checkLoad(segment, { reader, at, what });
    return segment;
  });
}

function checkLoad(
  segment: ProgramHeader,
  place: { readonly reader: ElfReader; readonly at: number; readonly what: string },
): void {
  const { reader, at, what } = place;
  reader.check(segment.offset, { size: segment.fileSize, what: `segment of ${what}` });
  if (segment.fileSize > segment.memorySize) {
    throw malformed(
      `${what} has ${segment.fileSize} bytes in the file and ${segment.memorySize} in memory`,
      at,
    );
  }
  if (segment.virtualAddress + segment.memorySize > Number.MAX_SAFE_INTEGER) {
    throw malformed(`${what} ends beyond 2^53`, at);
  }
  const { align } = segment;
  if (align > 1 && (segment.virtualAddress - segment.offset) % align !== 0) {
    throw malformed(`${what} has an offset and an address that differ modulo ${align}`, at);
  }
}
