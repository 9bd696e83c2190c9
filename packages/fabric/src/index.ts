export { nodeFrameAead } from './crypto/node-frame-aead.ts';
export type {
  Fabric,
  FabricCheck,
  FabricCondition,
  FabricMetrics,
  FabricOutcome,
  SegmentMetrics,
} from './fabric.ts';
export type { Datapath, DatapathCounters, DatapathOutcome } from './userspace/datapath-messages.ts';
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
export { isNamespace } from './helper/change-namespace.ts';
export { type HelperOptions, serveRequest } from './helper/serve-helper.ts';
export type { ProgramResult, RunProgram } from './helper/run-program.ts';
export type { SealRequest, SendingKeys } from './keys/sending-key-store.ts';
export type { WrappedKey } from './keys/wrapped-key.ts';
export { openUserSpaceFabric, type UserSpaceFabricOptions } from './userspace/user-space-fabric.ts';
export { openSocketDatapath, type SocketDatapathOptions } from './sockets/socket-datapath.ts';
export { createMacUnderlay, type MacUnderlayInit } from './macos/create-mac-underlay.ts';
