export {
  artefactKey,
  decodeArtefact,
  encodeArtefact,
  translatorVersion,
} from './emit/code-artefact.ts';
export { type CachedModule, CodeCache, type CodePage } from './emit/code-cache.ts';
export { GuestMachine, lowestGuestAddress, type SystemCallOutcome } from './emit/guest-machine.ts';
export { decode } from './decode/decode.ts';
export type { EncodingClass } from './decode/encoding-class.ts';
export { encodingClasses } from './decode/encoding-classes.ts';
export type { Instruction } from './instruction.ts';
export { Cpu, type CpuEnvironment } from './interpret/cpu.ts';
export { cpuLayout } from './interpret/cpu-layout.ts';
export { Interpreter } from './interpret/interpreter.ts';
export { guestPageSize, LinearMemory, pagePermission } from './interpret/linear-memory.ts';
export { MemoryFault } from './interpret/memory-fault.ts';
export type { Stop } from './interpret/stop.ts';
