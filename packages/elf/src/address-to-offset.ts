import { segmentType } from './elf-constants.ts';
import type { ProgramHeader } from './elf-file.ts';
import { malformed } from './malformed.ts';

/** Where in the file the memory at `address` comes from; all of it within one segment. */
export function addressToOffset(
  programHeaders: readonly ProgramHeader[],
  address: number,
  range: { readonly size: number; readonly what: string },
): number {
  const segment = programHeaders.find(
    ({ type, virtualAddress, fileSize }) =>
      type === segmentType.load &&
      address >= virtualAddress &&
      address + range.size <= virtualAddress + fileSize,
  );
  if (segment === undefined) {
    throw malformed(
      `${range.what} of ${range.size} bytes at address 0x${address.toString(16)} is in no segment`,
      0,
    );
  }
  return address - segment.virtualAddress + segment.offset;
}
