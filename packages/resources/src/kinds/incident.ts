import { z } from 'zod';
import { conditionsSchema } from '../condition.ts';
import type { ApiObject } from '../object-meta.ts';
import type { ResourceDefinition } from '../resource-definition.ts';
import { taplineGroup, taplineVersion } from './common.ts';
import { opsEvidenceSchema, opsTextSchema, opsTimeSchema } from './ops-fields.ts';

const name = z.string().min(1).max(253);

const spec = z.strictObject({
  cause: z
    .strictObject({ kind: z.string().min(1).max(64), name })
    .describe('What explains the most of it; often the one thing that is broken.'),
  openedAt: opsTimeSchema,
});

const status = z.strictObject({
  phase: z.enum(['Open', 'Resolved']).optional(),
  severity: z.enum(['warning', 'critical']).optional(),
  summary: opsTextSchema.optional(),
  targets: z.int().min(0).optional().describe('How many objects have a fault in it.'),
  faults: z
    .array(
      z.strictObject({
        target: z.string().max(320),
        evidence: opsEvidenceSchema,
      }),
    )
    .max(100)
    .optional()
    .describe('The first hundred.'),
  remediations: z.array(name).max(100).optional().describe('What was done about it.'),
  held: z
    .array(
      z.strictObject({
        playbook: name,
        target: z.string().max(320),
        guard: name,
        says: opsTextSchema,
      }),
    )
    .max(100)
    .optional()
    .describe('What was not done, and which guard rail kept it back.'),
  resolvedAt: opsTimeSchema.optional(),
  conditions: conditionsSchema,
});

export type IncidentSpec = z.infer<typeof spec>;
export type IncidentStatus = z.infer<typeof status>;
export type Incident = ApiObject<IncidentSpec, IncidentStatus>;

export const incidentResource: ResourceDefinition<IncidentSpec, IncidentStatus> = {
  group: taplineGroup,
  version: taplineVersion,
  kind: 'Incident',
  plural: 'incidents',
  singular: 'incident',
  shortNames: ['inc'],
  categories: ['tapline'],
  scope: 'Cluster',
  description: 'Faults that probably have one cause.',
  spec,
  status,
  selectableFields: [],
  columns: [
    { name: 'Cause', type: 'string', jsonPath: '.spec.cause.kind', description: 'Of what kind.' },
    { name: 'Object', type: 'string', jsonPath: '.spec.cause.name', description: 'Which.' },
    {
      name: 'Phase',
      type: 'string',
      jsonPath: '.status.phase',
      description: 'Whether it is over.',
    },
    {
      name: 'Severity',
      type: 'string',
      jsonPath: '.status.severity',
      description: 'Of its worst fault.',
    },
    { name: 'Targets', type: 'integer', jsonPath: '.status.targets', description: 'How many.' },
    { name: 'Summary', type: 'string', jsonPath: '.status.summary', description: 'In words.' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'Age.' },
  ],
};
