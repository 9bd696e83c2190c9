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
export { keepHelper, type StartedHelper } from './keep-helper.ts';
export { createFabric, type FabricInit } from './create-fabric.ts';
export { nodeKey, type NodeKey, openNodeKey } from './keys/node-key.ts';
export { espKeyBytes, pairKey, type PairKeyOptions } from './keys/pair-key.ts';
export { unwrapKey, type WrappedKey, wrapKey } from './keys/wrapped-key.ts';
export { openUserSpaceFabric, type UserSpaceFabricOptions } from './userspace/user-space-fabric.ts';
