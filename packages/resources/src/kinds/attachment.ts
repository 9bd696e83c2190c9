import { z } from 'zod';
import { conditionsSchema } from '../condition.ts';
import type { ApiObject } from '../object-meta.ts';
import type { ResourceDefinition } from '../resource-definition.ts';
import { errorSchema, stageTimesSchema, taplineGroup, taplineVersion } from './common.ts';
import {
  communityIdsSchema,
  encryptionSchema,
  nodeIntentSchema,
  portIntentSchema,
  prefixSchema,
  vniSchema,
} from './network-fields.ts';

const count = z.int().min(0);

const spec = z.strictObject({
  node: z.string().min(1).max(253).describe('The node this is for.'),
  segment: z.string().min(1).max(253).describe('The segment that it attaches to.'),
  epoch: z.int().min(1).describe('Version of the segment; a node never goes back to an older one.'),
  vxlanPort: z.int().min(1).max(65_535).describe('UDP port of VXLAN on every node.'),
  self: nodeIntentSchema.describe('The node itself, as others know it.'),
  peers: z.array(nodeIntentSchema).max(1024).describe('The other nodes of the segment.'),
  vni: vniSchema,
  subnet: prefixSchema,
  mtu: z.int().min(68).max(65_535).describe('Of its ports.'),
  encryption: encryptionSchema,
  communities: communityIdsSchema.describe('Group policy id of each community.'),
  ports: z.array(portIntentSchema).max(4096).describe('All ports of the segment, on all nodes.'),
});

const counters = z.strictObject({
  packets: count.describe('Through its ports.'),
  bytes: count,
  dropped: count.describe('By the policy.'),
  mtuErrors: count.describe('Too large for what carries them.'),
});

const status = z.strictObject({
  observedEpoch: count.optional().describe('The version the rest is about.'),
  state: z.enum(['Pending', 'Applying', 'Ready', 'Failed']).optional(),
  mtu: count.optional().describe('What its ports have.'),
  ports: count.optional().describe('Ports of its own that stand.'),
  stages: stageTimesSchema
    .optional()
    .describe("Seconds in each stage, by the node's monotonic clock."),
  drifts: count.optional().describe('How often somebody else’s change was mended.'),
  counters: counters.optional(),
  keyAgeSeconds: z.number().min(0).optional().describe('Since the oldest key in use was made.'),
  error: errorSchema.optional(),
  conditions: conditionsSchema,
});

export type AttachmentSpec = z.infer<typeof spec>;
export type AttachmentStatus = z.infer<typeof status>;
export type AttachmentPort = z.infer<typeof portIntentSchema>;
export type AttachmentNode = z.infer<typeof nodeIntentSchema>;
export type Attachment = ApiObject<AttachmentSpec, AttachmentStatus>;

export const attachmentResource: ResourceDefinition<AttachmentSpec, AttachmentStatus> = {
  group: taplineGroup,
  version: taplineVersion,
  kind: 'Attachment',
  plural: 'attachments',
  singular: 'attachment',
  shortNames: ['att'],
  categories: ['all', 'tapline'],
  scope: 'Cluster',
  description: 'One segment on one node.',
  spec,
  status,
  selectableFields: ['spec.node', 'spec.segment'],
  columns: [
    { name: 'Node', type: 'string', jsonPath: '.spec.node', description: 'The node.' },
    { name: 'Segment', type: 'string', jsonPath: '.spec.segment', description: 'The segment.' },
    { name: 'VNI', type: 'integer', jsonPath: '.spec.vni', description: 'Its VNI.' },
    { name: 'Ports', type: 'integer', jsonPath: '.status.ports', description: 'Its own ports.' },
    { name: 'MTU', type: 'integer', jsonPath: '.status.mtu', description: 'Of its ports.' },
    { name: 'State', type: 'string', jsonPath: '.status.state', description: 'Where it stands.' },
    {
      name: 'Epoch',
      type: 'integer',
      jsonPath: '.spec.epoch',
      description: 'Version that is wanted.',
      priority: 1,
    },
    {
      name: 'Drifts',
      type: 'integer',
      jsonPath: '.status.drifts',
      description: 'How often a change was mended.',
      priority: 1,
    },
    {
      name: 'Error',
      type: 'string',
      jsonPath: '.status.error.code',
      description: 'Why it failed.',
      priority: 1,
    },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'Age.' },
  ],
};
