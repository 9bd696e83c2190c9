import { segmentType } from './elf-constants.ts';
import type { ElfFile } from './elf-file.ts';
import type { ElfReader } from './elf-reader.ts';
import { readString } from './read-string.ts';

/** The program that is to be started instead, where one is named (PT_INTERP). */
export function readInterpreter(
  reader: ElfReader,
  programHeaders: ElfFile['programHeaders'],
): string | undefined {
  const segment = programHeaders.find(({ type }) => type === segmentType.interpreter);
  if (segment === undefined || segment.fileSize === 0) return undefined;
  const { offset, fileSize: size } = segment;
  const bytes = reader.slice(offset, { size, what: 'interpreter' });
  return readString({ bytes, offset }, 0, 'interpreter');
}
