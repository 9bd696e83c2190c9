import { segmentType } from './elf-constants.ts';
import type { ProgramHeader } from './elf-file.ts';
import { malformed } from './malformed.ts';

/** Where in the file the `size` bytes at `address` come from; all of them within one segment. */
export function findOffset(
  programHeaders: readonly ProgramHeader[],
  address: number,
  size: number,
): number | undefined {
  const segment = programHeaders.find(
    ({ type, virtualAddress, fileSize }) =>
      type === segmentType.load &&
      address >= virtualAddress &&
      address + size <= virtualAddress + fileSize,
  );
  return segment && address - segment.virtualAddress + segment.offset;
}

/** {@link findOffset}, for what must be there. */
export function addressToOffset(
  programHeaders: readonly ProgramHeader[],
  address: number,
  range: { readonly size: number; readonly what: string },
): number {
  const offset = findOffset(programHeaders, address, range.size);
  if (offset === undefined) {
    const at = `address 0x${address.toString(16)}`;
    throw malformed(`${range.what} of ${range.size} bytes at ${at} is in no segment`, 0);
  }
  return offset;
}
