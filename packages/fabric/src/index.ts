export { nodeFrameAead } from './crypto/node-frame-aead.ts';
export type {
  Fabric,
  FabricCondition,
  FabricMetrics,
  FabricOutcome,
  SegmentMetrics,
} from './fabric.ts';
export type { ExecutionResult, FabricHelper, Reading, WireguardKey } from './fabric-helper.ts';
