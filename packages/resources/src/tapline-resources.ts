import { allocationResource } from './kinds/allocation.ts';
import { attachmentResource } from './kinds/attachment.ts';
import { channelEdgeResource } from './kinds/channel-edge.ts';
import { channelResource } from './kinds/channel.ts';
import { deliveryResource } from './kinds/delivery.ts';
import { deviceResource } from './kinds/device.ts';
import { enrolmentResource } from './kinds/enrolment.ts';
import { installResource } from './kinds/install.ts';
import { incidentResource } from './kinds/incident.ts';
import { nodeResource } from './kinds/node.ts';
import { opsPolicyResource } from './kinds/ops-policy.ts';
import { packageResource } from './kinds/package.ts';
import { playbookResource } from './kinds/playbook.ts';
import { remediationResource } from './kinds/remediation.ts';
import { segmentResource } from './kinds/segment.ts';
import { tokenResource } from './kinds/token.ts';
import { workloadResource } from './kinds/workload.ts';
import type { ResourceDefinition } from './resource-definition.ts';

/** Every kind of the group tapline.dev, in the order in which people are shown them. */
export const taplineResources: readonly ResourceDefinition[] = [
  deviceResource,
  packageResource,
  deliveryResource,
  installResource,
  nodeResource,
  segmentResource,
  attachmentResource,
  allocationResource,
  workloadResource,
  channelResource,
  channelEdgeResource,
  enrolmentResource,
  tokenResource,
  incidentResource,
  playbookResource,
  remediationResource,
  opsPolicyResource,
];
