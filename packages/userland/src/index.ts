export { byteString } from './byte-string.ts';
export { createKernel, type KernelOptions } from './create-kernel.ts';
export type { HostInput, HostOutput } from './files/host-stream.ts';
export type { LayerDirectory, LayerFile, LayerLink, LayerNode } from './files/layer.ts';
export { tarLayers } from './files/tar-layer.ts';
export { createMemoryFileSystem, type MemoryEntry } from './files/memory-file-system.ts';
export {
  type GuestProgram,
  type GuestSystem,
  openGuestSystem,
  type StartedProgram,
} from './open-guest-system.ts';
export { findProgram } from './program/find-program.ts';
export { nodeAt } from './program/node-at.ts';
export { planCommand, type WantedCommand } from './program/plan-command.ts';
export { type ProgramResult, runProgram, type RunProgramOptions } from './run-program.ts';
export {
  isCodeNameOfThis,
  openStoredCode,
  type StoredCode,
  storedCodeName,
} from './stored-code.ts';
export type { HostConnection, HostNetwork } from './sockets/host-network.ts';
export type { HostTerminal } from './terminal/host-terminal.ts';
export type { WindowSize } from './terminal/terminal.ts';
