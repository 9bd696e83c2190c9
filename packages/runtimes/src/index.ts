export type { ContainerLimits, ContainerSpec, ProcessSpec } from './container-spec.ts';
export { createRuncRuntime, type RuncRuntimeInit } from './create-runc-runtime.ts';
export { DiskBudget, type DiskBudgetInit, type DiskReservation } from './disk-budget.ts';
export type { LayerIndex } from './layer-index.ts';
export { type LayerCompression, type LayerSource, LayerStore } from './layer-store.ts';
export { type Rootfs, type RootfsMethod, RootfsStore } from './rootfs-store.ts';
export { createMachineRuntime, type MachineRuntimeInit } from './machine/create-machine-runtime.ts';
export { machineDialects } from './machine/dialects.ts';
export type { MachineDialect } from './machine/machine-dialect.ts';
export type {
  Confinement,
  ContainerHandle,
  ContainerState,
  ExitStatus,
  LimitEnforcer,
  PreparedContainer,
  ProcessIo,
  Runtime,
} from './runtime.ts';
export {
  createUnconfinedRuntime,
  type UnconfinedRuntimeInit,
} from './create-unconfined-runtime.ts';
export {
  createWasmRuntime,
  wasmPlatform,
  type WasmRuntimeInit,
} from './wasm/create-wasm-runtime.ts';
export { type KeptCode, openKeptCode, readKeptCode } from './wasm/code-folder.ts';
export { directoryLayer } from './wasm/directory-layer.ts';
export { nodeNetwork } from './wasm/node-network.ts';
