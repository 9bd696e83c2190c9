import { segmentType } from './elf-constants.ts';
import type { ProgramHeader } from './elf-file.ts';
import type { ElfReader } from './elf-reader.ts';

const gnuName = 0x00554e47;
const buildIdType = 3;

/** Content of the first NT_GNU_BUILD_ID note, in lower-case hexadecimal. */
export function readBuildId(
  reader: ElfReader,
  programHeaders: readonly ProgramHeader[],
): string | undefined {
  for (const segment of programHeaders) {
    if (segment.type !== segmentType.note || segment.fileSize === 0) continue;
    const { offset, fileSize } = segment;
    reader.check(offset, { size: fileSize, what: 'note segment' });
    const end = offset + fileSize;
    // Notes are aligned to 4, except in segments that say 8 (GNU properties).
    const align = segment.align === 8 ? 8 : 4;
    const padded = (size: number): number => Math.ceil(size / align) * align;
    let at = offset;
    while (at + 12 <= end) {
      const nameSize = reader.u32(at, 'note name size');
      const contentSize = reader.u32(at + 4, 'note content size');
      const type = reader.u32(at + 8, 'note type');
      const content = offset + padded(at + 12 + nameSize - offset);
      if (content + contentSize > end) break;
      if (type === buildIdType && nameSize === 4 && reader.u32(at + 12, 'note') === gnuName) {
        return hex(reader.slice(content, { size: contentSize, what: 'build id' }));
      }
      at = offset + padded(content + contentSize - offset);
    }
  }
  return undefined;
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
