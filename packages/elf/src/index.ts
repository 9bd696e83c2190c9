export { editElf, type ElfEdit } from './edit-elf.ts';

export type { DynamicEntry, ElfFile, ElfHeader, ProgramHeader, SectionHeader } from './elf-file.ts';
export { isElf } from './is-elf.ts';
export { parseElf } from './parse-elf.ts';
export { type ElfProgram, parseElfProgram } from './parse-elf-program.ts';
export type { RpathEdit } from './plan-rpath.ts';
