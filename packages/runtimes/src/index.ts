export type { ContainerLimits, ContainerSpec, ProcessSpec } from './container-spec.ts';
export { createRuncRuntime, type RuncRuntimeInit } from './create-runc-runtime.ts';
export type { LayerCompression } from './layer-source.ts';
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
