import type { ElfFile } from './elf-file.ts';
import { ElfReader } from './elf-reader.ts';
import { readElfHeader } from './read-elf-header.ts';
import { readInterpreter } from './read-interpreter.ts';
import { readProgramHeaders } from './read-program-headers.ts';

/** What is needed to start a program. */
export type ElfProgram = Pick<ElfFile, 'header' | 'programHeaders' | 'interpreter'>;

/**
 * Reads what a kernel reads: nothing of sections, symbols or libraries, which may be missing or wrong in
 * a program that runs. Throws as `parseElf` does.
 */
export function parseElfProgram(bytes: Uint8Array): ElfProgram {
  const reader = new ElfReader(bytes);
  const header = readElfHeader(reader);
  const programHeaders = readProgramHeaders(reader, header);
  const interpreter = readInterpreter(reader, programHeaders);
  return { header, programHeaders, ...(interpreter !== undefined && { interpreter }) };
}
