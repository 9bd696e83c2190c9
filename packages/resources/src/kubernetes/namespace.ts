import { z } from 'zod';
import type { PlainObject } from '../object-meta.ts';
import type { PlainDefinition } from '../resource-definition.ts';

const body = z.strictObject({
  spec: z
    .strictObject({
      finalizers: z.array(z.string().max(253)).max(16).optional().describe('Not used here.'),
    })
    .optional()
    .describe('What the namespace should be.'),
  status: z
    .strictObject({
      phase: z.enum(['Active', 'Terminating']).optional().describe('Active, or being deleted.'),
    })
    .optional()
    .describe('What it is.'),
});

export type NamespaceBody = z.infer<typeof body>;
export type Namespace = PlainObject<NamespaceBody>;

export const namespaceResource: PlainDefinition<NamespaceBody> = {
  group: '',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  singular: 'namespace',
  shortNames: ['ns'],
  categories: [],
  scope: 'Cluster',
  description: 'A scope for names.',
  body,
  selectableFields: [],
  columns: [
    { name: 'Status', type: 'string', jsonPath: '.status.phase', description: 'Its phase.' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'Age.' },
  ],
};
