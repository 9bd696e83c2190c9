import { z } from 'zod';
import type { ApiObject } from '../object-meta.ts';
import type { ResourceDefinition } from '../resource-definition.ts';
import { taplineGroup, taplineVersion } from './common.ts';
import {
  addressSchema,
  communityIdsSchema,
  communityNameSchema,
  prefixSchema,
  vniSchema,
} from './network-fields.ts';

const serial = z.int().min(0);

const lease = z.strictObject({
  owner: z.string().min(1).max(253).describe('The segment.'),
  uid: z.string().min(1).max(64).describe('That very one.'),
  serial: serial.describe('Number of the lease.'),
  first: vniSchema,
  size: z.int().min(1).max(16_777_216).describe('A power of two, and first a multiple of it.'),
  prefix: prefixSchema.describe('Its addresses.'),
  until: z.iso
    .datetime({ offset: true })
    .optional()
    .describe('In quarantine until then; absent: leased.'),
});

const port = z.strictObject({
  index: z.int().min(1).max(65_535),
  incarnation: z.int().min(1),
  owner: z.string().min(1).max(253),
  node: z.string().min(1).max(253),
  kind: z.enum(['promiscuous', 'community', 'isolated']),
  community: communityNameSchema.optional(),
  address: addressSchema,
  released: serial.optional().describe('When it was given up, counted; absent: in use.'),
});

const spec = z.strictObject({
  serial: serial.describe('Counts leases, and releases of ports.'),
  from: z
    .string()
    .min(1)
    .max(253)
    .optional()
    .describe('The Allocation that a segment’s own numbers are leased from.'),
  epoch: serial.optional().describe('Newest version of the segment.'),
  leases: z.array(lease).max(16_384).optional().describe('What children have, or had just now.'),
  vteps: z
    .array(z.strictObject({ node: z.string().min(1).max(253), address: addressSchema }))
    .max(16_384)
    .optional()
    .describe('Addresses inside the encrypted underlay.'),
  keys: z
    .strictObject({
      step: serial.describe('Three from an epoch of keys to the next.'),
      since: z.iso.datetime({ offset: true }),
    })
    .optional()
    .describe('Which keys of IPsec and MACsec are in use.'),
  ports: z.array(port).max(65_535).optional().describe('Ports that are, and that have been.'),
  communities: communityIdsSchema.optional().describe('All that ever were.'),
});

const status = z.strictObject({});

export type AllocationSpec = z.infer<typeof spec>;
export type AllocationLease = z.infer<typeof lease>;
export type AllocationPort = z.infer<typeof port>;
export type Allocation = ApiObject<AllocationSpec, Record<string, never>>;

/**
 * Who has which numbers. Its resourceVersion is the compare-and-swap that several allocators go by;
 * nothing is given out before it stands here.
 */
export const allocationResource: ResourceDefinition<AllocationSpec, Record<string, never>> = {
  group: taplineGroup,
  version: taplineVersion,
  kind: 'Allocation',
  plural: 'allocations',
  singular: 'allocation',
  shortNames: ['alloc'],
  categories: ['tapline'],
  scope: 'Cluster',
  description: 'Who has which VNIs, addresses, ports and groups of a fabric or a segment.',
  spec,
  status,
  selectableFields: [],
  columns: [
    { name: 'Serial', type: 'integer', jsonPath: '.spec.serial', description: 'Leases so far.' },
    { name: 'Epoch', type: 'integer', jsonPath: '.spec.epoch', description: 'Newest version.' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'Age.' },
  ],
};
