import { segmentType } from './elf-constants.ts';
import type { ProgramHeader } from './elf-file.ts';
import { malformed } from './malformed.ts';

/**
 * Where in the file the `size` bytes at `address` come from. They may go on from one segment into
 * the next where file and memory do: patchelf puts what it moves before a program's first segment,
 * and lets it run into the space that its old place leaves there.
 */
export function findOffset(
  programHeaders: readonly ProgramHeader[],
  address: number,
  size: number,
): number | undefined {
  const loads = programHeaders.filter(({ type }) => type === segmentType.load);
  const first = loads.find(
    ({ virtualAddress, fileSize }) =>
      address >= virtualAddress && address + Math.min(size, 1) <= virtualAddress + fileSize,
  );
  for (let last = first; last !== undefined; last = segmentAfter(last, loads)) {
    if (address + size <= last.virtualAddress + last.fileSize) {
      return address - last.virtualAddress + last.offset;
    }
  }
  return undefined;
}

/** The segment that starts where `segment` ends, in the file and in memory. */
function segmentAfter(
  segment: ProgramHeader,
  loads: readonly ProgramHeader[],
): ProgramHeader | undefined {
  const { offset, virtualAddress, fileSize, memorySize } = segment;
  if (fileSize !== memorySize) return undefined;
  return loads.find(
    (next) =>
      next.fileSize > 0 &&
      next.offset === offset + fileSize &&
      next.virtualAddress === virtualAddress + memorySize,
  );
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
