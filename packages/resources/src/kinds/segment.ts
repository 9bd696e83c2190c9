import { z } from 'zod';
import { conditionsSchema } from '../condition.ts';
import type { ApiObject } from '../object-meta.ts';
import type { ResourceDefinition } from '../resource-definition.ts';
import { selectorTextSchema } from '../selector-text.ts';
import { errorSchema, stageTimesSchema, taplineGroup, taplineVersion } from './common.ts';
import {
  communityNameSchema,
  encryptionSchema,
  prefixSchema,
  segmentNameSchema,
  vniSchema,
} from './network-fields.ts';

const portRule = z.strictObject({
  select: selectorTextSchema.describe(
    'Which nodes, by their labels: team=a, role in (origin, edge). The first rule that selects counts.',
  ),
  type: z
    .enum(['promiscuous', 'community', 'isolated'])
    .describe('Promiscuous reaches all, community its own and promiscuous, isolated promiscuous.'),
  community: communityNameSchema.optional().describe('Of which community; for that type only.'),
});

const spec = z.strictObject({
  parent: segmentNameSchema
    .optional()
    .describe('The segment that leases VNI and addresses to this one; absent: the fabric itself.'),
  fabric: segmentNameSchema
    .optional()
    .describe('In which VNIs are unique; default unless given. A child is in its parent’s.'),
  prefixLength: z
    .int()
    .min(1)
    .max(126)
    .optional()
    .describe('How long a prefix to take out of the parent’s.'),
  prefix: prefixSchema
    .optional()
    .describe('A certain prefix, such as 10.64.0.0/12; what has no parent needs one.'),
  vnis: z
    .strictObject({
      first: vniSchema.optional().describe('A certain VNI, or the first one of the block.'),
      size: z
        .int()
        .min(2)
        .max(8_388_608)
        .optional()
        .describe('A power of two: how many VNIs this segment has for its children.'),
    })
    .optional()
    .describe('Absent: one VNI, any. With size it is a parent: it leases, and has no ports.'),
  encryption: encryptionSchema
    .optional()
    .describe('Absent: WireGuard. Plaintext is what somebody has to ask for.'),
  nodes: selectorTextSchema
    .optional()
    .describe('On which nodes, by their labels; absent: on each that has a port.'),
  ports: z.array(portRule).max(64).optional().describe('Who is attached, and as what.'),
  mtu: z
    .int()
    .min(576)
    .max(65_535)
    .optional()
    .describe('What ports need at least; absent: whatever encapsulation leaves.'),
  quarantineSeconds: z
    .int()
    .min(0)
    .max(31_536_000)
    .default(3600)
    .describe('How long nobody else gets its VNI and addresses after its end.'),
});

const count = z.int().min(0);

const status = z.strictObject({
  observedGeneration: z.int().min(0).optional(),
  state: z
    .enum(['Pending', 'Applying', 'Ready', 'Degraded', 'Failed', 'Leasing', 'Deleting'])
    .optional()
    .describe('Where it stands; Leasing is a parent that is there for its children.'),
  fabric: z.string().max(253).optional(),
  vni: vniSchema.optional().describe('The one of its overlay; of a parent the first of its block.'),
  vnis: z
    .strictObject({ first: vniSchema, size: count, leased: count, quarantined: count })
    .optional()
    .describe('The block that a parent leases from, and how much of it is taken.'),
  subnet: z.string().max(64).optional().describe('Its addresses.'),
  gateway: z.string().max(64).optional().describe('The address that no port gets.'),
  mtu: count.optional().describe('Of its ports.'),
  epoch: count.optional().describe('Number of its newest version; Attachments carry it.'),
  nodes: z
    .strictObject({
      desired: count.describe('Nodes it has to be on.'),
      ready: count.describe('Of those, with the newest version in the kernel.'),
      offline: count.describe('Of those, not connected.'),
    })
    .optional(),
  ports: z
    .strictObject({
      total: count,
      promiscuous: count,
      community: count,
      isolated: count,
    })
    .optional(),
  acceptedAt: z.iso.datetime({ offset: true }).optional().describe('When this version began.'),
  readyAt: z.iso.datetime({ offset: true }).optional().describe('When its last node had it.'),
  stages: stageTimesSchema.optional().describe('Seconds of each stage of this version.'),
  error: errorSchema.optional().describe('Why it cannot be as it is wanted.'),
  conditions: conditionsSchema,
});

export type SegmentSpec = z.infer<typeof spec>;
export type SegmentStatus = z.infer<typeof status>;
export type SegmentPortRule = z.infer<typeof portRule>;
export type Segment = ApiObject<SegmentSpec, SegmentStatus>;

export const segmentResource: ResourceDefinition<SegmentSpec, SegmentStatus> = {
  group: taplineGroup,
  version: taplineVersion,
  kind: 'Segment',
  plural: 'segments',
  singular: 'segment',
  shortNames: ['seg'],
  categories: ['all', 'tapline'],
  scope: 'Cluster',
  description: 'An isolated layer-2 overlay with a private-VLAN policy, or a parent that leases.',
  spec,
  status,
  selectableFields: ['spec.parent'],
  columns: [
    { name: 'VNI', type: 'integer', jsonPath: '.status.vni', description: 'Its VNI.' },
    { name: 'Subnet', type: 'string', jsonPath: '.status.subnet', description: 'Its addresses.' },
    {
      name: 'Nodes',
      type: 'integer',
      jsonPath: '.status.nodes.desired',
      description: 'Nodes it has to be on.',
    },
    {
      name: 'Ready',
      type: 'integer',
      jsonPath: '.status.nodes.ready',
      description: 'Nodes it stands on.',
    },
    { name: 'Ports', type: 'integer', jsonPath: '.status.ports.total', description: 'Ports.' },
    { name: 'MTU', type: 'integer', jsonPath: '.status.mtu', description: 'Of its ports.' },
    { name: 'State', type: 'string', jsonPath: '.status.state', description: 'Where it stands.' },
    {
      name: 'Encryption',
      type: 'string',
      jsonPath: '.spec.encryption.underlay',
      description: 'What protects it between nodes.',
      priority: 1,
    },
    {
      name: 'Parent',
      type: 'string',
      jsonPath: '.spec.parent',
      description: 'Whose numbers it has.',
      priority: 1,
    },
    {
      name: 'Error',
      type: 'string',
      jsonPath: '.status.error.code',
      description: 'Why it cannot be as it is wanted.',
      priority: 1,
    },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'Age.' },
  ],
};
