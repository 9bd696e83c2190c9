export { type Condition, findCondition, setCondition } from './condition.ts';
export {
  type HealthCheck,
  type Limits,
  type RunSpec,
  type ServedPort,
  type StageTimes,
  type StatusError,
  taplineGroup,
} from './kinds/common.ts';
export {
  type Allocation,
  type AllocationLease,
  type AllocationPort,
  allocationResource,
  type AllocationSpec,
} from './kinds/allocation.ts';
export {
  type Attachment,
  type AttachmentNode,
  type AttachmentPort,
  attachmentResource,
  type AttachmentSpec,
  type AttachmentStatus,
} from './kinds/attachment.ts';
export {
  type Channel,
  type ChannelEdgeState,
  channelResource,
  type ChannelSpec,
  type ChannelStatus,
  channelSteps,
} from './kinds/channel.ts';
export {
  type ChannelEdge,
  channelEdgeResource,
  type ChannelEdgeSpec,
  type ChannelEdgeStatus,
} from './kinds/channel-edge.ts';
export type {
  ChannelCache,
  EdgeHits,
  EdgeStorage,
  RecentHits,
  StreamLook,
} from './kinds/channel-fields.ts';
export {
  type Delivery,
  deliveryResource,
  type DeliverySpec,
  type DeliveryStatus,
  type DeliveryStrategy,
  type LabelSelector,
  type PinnedImage,
} from './kinds/delivery.ts';
export {
  type Device,
  deviceKeyAnnotation,
  deviceResource,
  type DeviceSpec,
  type DeviceStatus,
  revokedDeviceKey,
} from './kinds/device.ts';
export {
  type Enrolment,
  type EnrolmentPayload,
  enrolmentResource,
  type EnrolmentSpec,
  type EnrolmentStatus,
} from './kinds/enrolment.ts';
export {
  type Install,
  installResource,
  type InstallImage,
  type InstallSpec,
  type InstallStatus,
} from './kinds/install.ts';
export {
  type Incident,
  incidentResource,
  type IncidentSpec,
  type IncidentStatus,
} from './kinds/incident.ts';
export {
  type Node,
  nodeResource,
  type Keyring,
  type NodeSpec,
  type NodeStatus,
} from './kinds/node.ts';
export {
  type Package,
  packageResource,
  type PackageImage,
  type PackageSpec,
  type PackageStatus,
} from './kinds/package.ts';
export { type OpsEvidence, opsKinds, type OpsTarget, type OpsVerdict } from './kinds/ops-fields.ts';
export {
  type OpsPolicy,
  opsPolicyResource,
  type OpsPolicySpec,
  type OpsPolicyStatus,
} from './kinds/ops-policy.ts';
export {
  type Playbook,
  type PlaybookGuards,
  playbookResource,
  type PlaybookSpec,
  type PlaybookStep,
} from './kinds/playbook.ts';
export {
  type Remediation,
  type RemediationApproval,
  type RemediationPlanStep,
  remediationResource,
  type RemediationSpec,
  type RemediationStatus,
} from './kinds/remediation.ts';
export {
  type Segment,
  type SegmentPortRule,
  segmentResource,
  type SegmentSpec,
  type SegmentStatus,
} from './kinds/segment.ts';
export { taplineResources } from './tapline-resources.ts';
export { type Token, tokenResource, type TokenSpec, type TokenStatus } from './kinds/token.ts';
export {
  type Workload,
  workloadImagePackage,
  workloadLabel,
  type WorkloadPlacement,
  workloadPackage,
  workloadResource,
  type WorkloadSpec,
  type WorkloadStatus,
} from './kinds/workload.ts';
export {
  type ClusterRole,
  type ClusterRoleBody,
  clusterRoleResource,
  type PolicyRule,
} from './kubernetes/cluster-role.ts';
export {
  type ClusterRoleBinding,
  type ClusterRoleBindingBody,
  clusterRoleBindingResource,
} from './kubernetes/cluster-role-binding.ts';
export { type Event, type EventBody, eventResource } from './kubernetes/event.ts';
export { type Lease, type LeaseBody, leaseResource } from './kubernetes/lease.ts';
export { type Namespace, type NamespaceBody, namespaceResource } from './kubernetes/namespace.ts';
export { type JsonPath, parseJsonPath, readJsonPath } from './json-path.ts';
export {
  type BodyResult,
  type BodyValidator,
  bodyValidator,
  type FieldIssue,
} from './body-validator.ts';
export { fieldText, fieldValue } from './field-value.ts';
export { type FieldRequirement, type FieldSelector, parseFieldSelector } from './field-selector.ts';
export { customResourceDefinition } from './custom-resource-definition.ts';
export { isPlainDefinition } from './is-plain-definition.ts';
export {
  isLabelKey,
  isLabelValue,
  type LabelRequirement,
  type LabelRequirements,
  matchesLabels,
  matchesSelector,
  parseLabelSelector,
} from './label-selector.ts';
export { objectSchema } from './object-schema.ts';
export type { StructuralSchema } from './structural-schema.ts';
export {
  attachmentName,
  channelEdgeName,
  channelWorkloadName,
  formulaObjectName,
  installName,
  isObjectName,
} from './names.ts';
export type {
  ApiObject,
  ManagedFieldsEntry,
  ObjectMeta,
  OwnerReference,
  PlainObject,
} from './object-meta.ts';
export {
  apiVersionOf,
  type KindDefinition,
  type KindNames,
  type PlainDefinition,
  type PrinterColumn,
  type ResourceDefinition,
  type ScalePaths,
} from './resource-definition.ts';
export { channelStages, packageStages, segmentStages, type Stage, stages } from './stage.ts';
