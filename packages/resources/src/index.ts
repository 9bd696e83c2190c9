export {
  type Condition,
  conditionSchema,
  conditionsSchema,
  findCondition,
  setCondition,
} from './condition.ts';
export {
  type HealthCheck,
  type Limits,
  type RunSpec,
  type StageTimes,
  type StatusError,
  taplineGroup,
  taplineVersion,
} from './kinds/common.ts';
export {
  type Delivery,
  deliveryResource,
  type DeliverySpec,
  type DeliveryStatus,
  type DeliveryStrategy,
  type LabelSelector,
  type PinnedImage,
} from './kinds/delivery.ts';
export { type Device, deviceResource, type DeviceSpec, type DeviceStatus } from './kinds/device.ts';
export {
  type Install,
  installResource,
  type InstallImage,
  type InstallSpec,
  type InstallStatus,
} from './kinds/install.ts';
export {
  type Package,
  packageResource,
  type PackageImage,
  type PackageSpec,
  type PackageStatus,
} from './kinds/package.ts';
export { type Token, tokenResource, type TokenSpec, type TokenStatus } from './kinds/token.ts';
export { type JsonPath, parseJsonPath, readJsonPath } from './json-path.ts';
export { formulaObjectName, installName, isObjectName } from './names.ts';
export type { ApiObject, ManagedFieldsEntry, ObjectMeta, OwnerReference } from './object-meta.ts';
export {
  apiVersionOf,
  type PrinterColumn,
  type ResourceDefinition,
} from './resource-definition.ts';
export { packageStages, type Stage, stages } from './stage.ts';
