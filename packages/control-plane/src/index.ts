// Public API; named exports only.
export {
  type ControlPlaneConfiguration,
  type ControlPlaneEnvironment,
  parseControlPlaneConfiguration,
} from './configuration.ts';
export { edgePaths } from './edge-paths.ts';
export {
  type ControlPlane,
  type ControlPlaneInit,
  startControlPlane,
} from './start-control-plane.ts';
export {
  loadRegistryConfiguration,
  type RegistryConfiguration,
} from './registry/registry-configuration.ts';
export {
  loadMonitoringConfiguration,
  type MonitoringConfiguration,
} from './monitoring/monitoring-configuration.ts';
export { previewSegments, type SegmentWorld } from './segment/preview-segments.ts';
