export type { ContainerLimits, ContainerSpec, ProcessSpec } from './container-spec.ts';
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
