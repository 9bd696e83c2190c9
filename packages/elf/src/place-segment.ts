import { segmentType } from './elf-constants.ts';
import type { ElfFile } from './elf-file.ts';
import { malformed } from './malformed.ts';

// The largest page each kernel may be configured with.
const pageSizes: Readonly<Record<ElfFile['header']['machine'], number>> = {
  x86_64: 0x1000,
  aarch64: 0x10000,
};
const maxFill = 64 * 1024 * 1024;

export interface SegmentPlace {
  readonly offset: number;
  readonly virtualAddress: number;
  readonly align: number;
}

/** Where a segment that holds the program headers goes: after all of the file and of its memory. */
export function placeSegment(file: ElfFile, fileLength: number): SegmentPlace {
  const loads = file.programHeaders.filter(({ type }) => type === segmentType.load);
  const [first] = loads;
  if (first === undefined) throw malformed('no segment to load', 0);
  const align = pageSizes[file.header.machine];
  const memoryEnd = Math.max(
    ...loads.map(({ virtualAddress, memorySize }) => virtualAddress + memorySize),
  );
  const firstFreePage = roundUp(memoryEnd, align);
  // glibc takes program headers for part of the first segment whose pages they lie on, although the
  // page that ends a segment's file content has zeros after it in memory.
  const pagesEnd = Math.max(
    ...loads.map(({ offset, fileSize }) => roundUp(offset + fileSize, align)),
  );
  const firstFreeOffset = Math.max(roundUp(fileLength, 8), pagesEnd);

  // Linux before 5.18 tells a program that its headers are at e_phoff from where the first segment
  // puts the file's start (AT_PHDR), and libc derives the load address from that. So the segment
  // keeps the first one's distance between address and offset, and zeros fill the gap in the file.
  const bias = first.virtualAddress - first.offset;
  const offset = Math.max(firstFreeOffset, firstFreePage - bias);
  const isStartedByKernel = file.interpreter !== undefined;
  if (isStartedByKernel && bias % align === 0 && offset - fileLength <= maxFill) {
    return { offset, virtualAddress: offset + bias, align };
  }
  return {
    offset: firstFreeOffset,
    virtualAddress: firstFreePage + (firstFreeOffset % align),
    align,
  };
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}
