import { z } from 'zod';
import type { PlainObject } from '../object-meta.ts';
import type { PlainDefinition } from '../resource-definition.ts';
import { microTimeSchema } from './micro-time.ts';

const body = z.strictObject({
  spec: z
    .strictObject({
      holderIdentity: z.string().max(1024).optional().describe('Who holds the lease.'),
      leaseDurationSeconds: z
        .int()
        .min(1)
        .max(2 ** 31 - 1)
        .optional()
        .describe('Others wait this long after renewTime before they take it.'),
      acquireTime: microTimeSchema.optional().describe('When the holder took it.'),
      renewTime: microTimeSchema.optional().describe('When the holder last renewed it.'),
      leaseTransitions: z
        .int()
        .min(0)
        .max(2 ** 31 - 1)
        .optional()
        .describe('How often the holder changed.'),
      preferredHolder: z.string().max(1024).optional().describe('Who should hold it instead.'),
      strategy: z.string().max(256).optional().describe('How holders are chosen.'),
    })
    .optional()
    .describe('Who holds the lease, and until when.'),
});

export type LeaseBody = z.infer<typeof body>;
export type Lease = PlainObject<LeaseBody>;

/** coordination.k8s.io/v1 Lease: who may act, for how long. */
export const leaseResource: PlainDefinition<LeaseBody> = {
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
  singular: 'lease',
  shortNames: [],
  categories: [],
  scope: 'Namespaced',
  description: 'A lease: who may act, and until when.',
  body,
  selectableFields: [],
  columns: [
    { name: 'Holder', type: 'string', jsonPath: '.spec.holderIdentity', description: 'Holder.' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'Age.' },
  ],
};
