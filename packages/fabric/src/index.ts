export { nodeFrameAead } from './crypto/node-frame-aead.ts';
export type {
  Fabric,
  FabricCondition,
  FabricMetrics,
  FabricOutcome,
  SegmentMetrics,
} from './fabric.ts';
export type { DatapathCounters, DatapathOutcome } from './userspace/datapath-messages.ts';
export {
  UserSpaceDatapath,
  type UserSpaceDatapathOptions,
} from './userspace/user-space-datapath.ts';
export type {
  ExecutionResult,
  FabricHelper,
  KernelCapabilities,
  Reading,
  WireguardKey,
} from './fabric-helper.ts';
export { helperProgram, startHelper, type StartHelperOptions } from './start-helper.ts';
export { createFabric, type FabricInit } from './create-fabric.ts';
