export { createMemoryFileSystem, type MemoryEntry } from './memory-file-system.ts';
export { runProgram, type ProgramResult, type RunProgramOptions } from './run-program.ts';
