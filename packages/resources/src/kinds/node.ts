import { z } from 'zod';
import { conditionsSchema } from '../condition.ts';
import type { ApiObject } from '../object-meta.ts';
import type { ResourceDefinition } from '../resource-definition.ts';
import { errorSchema, taplineGroup, taplineVersion } from './common.ts';
import {
  addressSchema,
  agreementKeySchema,
  prefixSchema,
  segmentNameSchema,
  wrappedKeySchema,
} from './network-fields.ts';

const count = z.int().min(0);

const spec = z.strictObject({
  device: z.string().min(1).max(253).describe('The device of this name, whose role is node.'),
  fabric: segmentNameSchema.optional().describe('Whose VNIs it carries; default unless given.'),
  underlay: addressSchema
    .optional()
    .describe('Its address for other nodes; absent: what its agent finds.'),
  link: z
    .strictObject({
      interface: z
        .string()
        .regex(/^[A-Za-z0-9_.@-]{1,15}$/)
        .describe('An interface that nothing else uses: all but MACsec is kept off it.'),
      address: prefixSchema.describe('Its address there, such as 10.9.0.1/24.'),
    })
    .optional()
    .describe('The link that MACsec encrypts, for segments which ask for it.'),
  draining: z
    .boolean()
    .optional()
    .describe('Whether workloads leave it, as soon as they run elsewhere, and none comes.'),
});

const keyringSchema = z.strictObject({
  step: count.describe('Three from an epoch of keys to the next; a node never goes back.'),
  peers: z
    .array(
      z.strictObject({
        name: z.string().min(1).max(253),
        agreementKey: agreementKeySchema,
        generation: count,
        link: z.boolean().optional().describe('Whether it needs our MACsec keys.'),
        wrapped: z.array(wrappedKeySchema).max(8).optional(),
      }),
    )
    .max(1024),
});

const status = z.strictObject({
  underlay: z
    .strictObject({
      address: addressSchema.describe('Where other nodes reach it.'),
      interface: z.string().max(64).optional(),
      mtu: count.optional().describe('Of that interface.'),
    })
    .optional()
    .describe('What its agent found.'),
  vtep: addressSchema.optional().describe('Its address inside the encrypted underlay.'),
  wireguardKey: z.string().max(64).optional().describe('Its public key, base64.'),
  link: z
    .strictObject({ interface: z.string().max(15), mac: z.string().max(17), mtu: count })
    .optional()
    .describe('The interface of spec.link, as its agent found it.'),
  keys: z
    .strictObject({
      agreementKey: agreementKeySchema.describe('Public key that others are agreed on with.'),
      generation: count.describe('Goes up when it has lost the keys that it sent with.'),
      step: count.optional().describe('Of the key ring that it has in its kernel.'),
      wrapped: z
        .array(wrappedKeySchema.extend({ to: agreementKeySchema }))
        .max(4096)
        .optional()
        .describe('Its MACsec keys, wrapped for each other node.'),
    })
    .optional()
    .describe('Its part of IPsec and MACsec; no secret is in it.'),
  keyring: keyringSchema.optional().describe('Which keys it has to use, and with whom.'),
  datapath: z
    .enum(['kernel', 'user-space'])
    .optional()
    .describe('Who switches frames of segments there.'),
  capabilities: z
    .array(z.string().max(64))
    .max(64)
    .optional()
    .describe('What its kernel and its programs can do for segments.'),
  capacity: z
    .strictObject({ cpus: count, memoryBytes: count })
    .optional()
    .describe('What workloads could have in all.'),
  edge: z
    .strictObject({
      url: z.string().max(2048).describe('Where players reach the channels that it serves.'),
    })
    .nullable()
    .optional()
    .describe('Absent where it serves no channels.'),
  edgeError: errorSchema
    .nullable()
    .optional()
    .describe('Why its edge cache does not start, where one was asked for.'),
  foreign: z
    .strictObject({
      vnis: z
        .array(z.strictObject({ vni: count, device: z.string().max(64), port: count }))
        .max(4096)
        .describe('VXLAN devices of somebody else.'),
      prefixes: z
        .array(z.strictObject({ prefix: prefixSchema, device: z.string().max(64) }))
        .max(4096)
        .describe('Addresses and routes of somebody else.'),
    })
    .optional()
    .describe('What is on the node and not Tapline’s: numbers from there are not given out.'),
  conditions: conditionsSchema,
});

export type NodeSpec = z.infer<typeof spec>;
export type NodeStatus = z.infer<typeof status>;
export type Keyring = z.infer<typeof keyringSchema>;
export type Node = ApiObject<NodeSpec, NodeStatus>;

export const nodeResource: ResourceDefinition<NodeSpec, NodeStatus> = {
  group: taplineGroup,
  version: taplineVersion,
  kind: 'Node',
  plural: 'nodes',
  singular: 'node',
  shortNames: ['no'],
  categories: ['all', 'tapline'],
  scope: 'Cluster',
  description: 'A device that carries segments: where it is, and what it can do.',
  spec,
  status,
  selectableFields: ['spec.device'],
  columns: [
    {
      name: 'Underlay',
      type: 'string',
      jsonPath: '.status.underlay.address',
      description: 'Where other nodes reach it.',
    },
    { name: 'VTEP', type: 'string', jsonPath: '.status.vtep', description: 'Its tunnel address.' },
    {
      name: 'MTU',
      type: 'integer',
      jsonPath: '.status.underlay.mtu',
      description: 'Of its underlay.',
    },
    {
      name: 'Ready',
      type: 'string',
      jsonPath: '.status.conditions[?(@.type=="Ready")].status',
      description: 'Whether segments can stand on it.',
    },
    {
      name: 'Reason',
      type: 'string',
      jsonPath: '.status.conditions[?(@.type=="Ready")].reason',
      description: 'Why or why not.',
    },
    {
      name: 'Datapath',
      type: 'string',
      jsonPath: '.status.datapath',
      description: 'Who switches its frames.',
      priority: 1,
    },
    {
      name: 'Key',
      type: 'string',
      jsonPath: '.status.wireguardKey',
      description: 'Its WireGuard key.',
      priority: 1,
    },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'Age.' },
  ],
};
