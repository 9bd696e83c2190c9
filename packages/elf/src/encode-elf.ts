import { dynamicEntrySize, programHeaderSize } from './elf-constants.ts';
import type { DynamicEntry, ProgramHeader } from './elf-file.ts';

/** The entries with a DT_NULL after them. */
export function encodeDynamic(entries: readonly DynamicEntry[]): Uint8Array {
  const bytes = new Uint8Array((entries.length + 1) * dynamicEntrySize);
  const view = new DataView(bytes.buffer);
  for (const [index, { tag, value }] of entries.entries()) {
    view.setBigInt64(index * dynamicEntrySize, BigInt(tag), true);
    view.setBigUint64(index * dynamicEntrySize + 8, value, true);
  }
  return bytes;
}

export function encodeProgramHeaders(segments: readonly ProgramHeader[]): Uint8Array {
  const bytes = new Uint8Array(segments.length * programHeaderSize);
  const view = new DataView(bytes.buffer);
  for (const [index, segment] of segments.entries()) {
    const at = index * programHeaderSize;
    view.setUint32(at, segment.type, true);
    view.setUint32(at + 4, segment.flags, true);
    view.setBigUint64(at + 8, BigInt(segment.offset), true);
    view.setBigUint64(at + 16, BigInt(segment.virtualAddress), true);
    view.setBigUint64(at + 24, segment.physicalAddress, true);
    view.setBigUint64(at + 32, BigInt(segment.fileSize), true);
    view.setBigUint64(at + 40, BigInt(segment.memorySize), true);
    view.setBigUint64(at + 48, BigInt(segment.align), true);
  }
  return bytes;
}

export function encodeU64s(values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 8);
  const view = new DataView(bytes.buffer);
  for (const [index, value] of values.entries()) view.setBigUint64(index * 8, BigInt(value), true);
  return bytes;
}
