import { z } from 'zod';
import { conditionsSchema } from '../condition.ts';
import type { ApiObject } from '../object-meta.ts';
import type { ResourceDefinition } from '../resource-definition.ts';
import {
  digestSchema,
  drainSecondsSchema,
  errorSchema,
  formulaSchema,
  healthCheckSchema,
  limitsSchema,
  networkSchema,
  packageVersionSchema,
  platformSchema,
  portsSchema,
  runSchema,
  segmentPlaceSchema,
  stageTimesSchema,
  taplineGroup,
  taplineVersion,
} from './common.ts';

const image = z.strictObject({
  repository: z.string().min(1).max(255).describe('Where the registry holds it.'),
  digest: digestSchema.describe("The image manifest's digest, for the device's platform."),
  platform: platformSchema,
  sizeBytes: z.int().min(0).describe('Compressed bytes of all layers.'),
  unpackedBytes: z.int().min(0).describe('Bytes of all layers on the device.'),
  main: z.string().max(4096).optional().describe('The program that gives the package its name.'),
});

const spec = z.strictObject({
  device: z.string().min(1).max(253).describe('The device this is for.'),
  delivery: z.string().min(1).max(253).describe('The delivery that made it.'),
  formula: formulaSchema,
  version: packageVersionSchema,
  revision: z
    .int()
    .min(1)
    .describe("The delivery's revision; a device never goes back to an older one."),
  image,
  run: runSchema.optional(),
  ports: portsSchema.optional(),
  drainSeconds: drainSecondsSchema.optional(),
  health: healthCheckSchema.optional(),
  limits: limitsSchema.optional(),
  network: networkSchema.optional(),
  segment: segmentPlaceSchema
    .optional()
    .describe('The program has an interface in this segment and no other; its device is a node.'),
});

const status = z.strictObject({
  observedRevision: z.int().min(0).optional().describe('The revision the rest is about.'),
  state: z
    .enum(['Pending', 'Pulling', 'Unpacking', 'Starting', 'Ready', 'RolledBack', 'Failed'])
    .optional(),
  active: z
    .strictObject({ version: packageVersionSchema, digest: digestSchema, revision: z.int().min(1) })
    .optional()
    .describe('What the device serves now; after a rollback the last good one.'),
  stages: stageTimesSchema
    .optional()
    .describe("Seconds in each stage, by the device's monotonic clock."),
  fetchedBytes: z.int().min(0).optional().describe('Bytes it had to fetch.'),
  fetchedBlobs: z.int().min(0).optional().describe('Blobs it had to fetch.'),
  restarts: z.int().min(0).optional().describe('How often what runs was started again.'),
  error: errorSchema.optional(),
  conditions: conditionsSchema,
});

export type InstallSpec = z.infer<typeof spec>;
export type InstallStatus = z.infer<typeof status>;
export type InstallImage = z.infer<typeof image>;
export type Install = ApiObject<InstallSpec, InstallStatus>;

export const installResource: ResourceDefinition<InstallSpec, InstallStatus> = {
  group: taplineGroup,
  version: taplineVersion,
  kind: 'Install',
  plural: 'installs',
  singular: 'install',
  shortNames: ['in'],
  categories: ['all', 'tapline'],
  scope: 'Cluster',
  description: 'One package on one device.',
  spec,
  status,
  selectableFields: ['spec.device', 'spec.delivery', 'spec.formula'],
  columns: [
    { name: 'Device', type: 'string', jsonPath: '.spec.device', description: 'The device.' },
    { name: 'Formula', type: 'string', jsonPath: '.spec.formula', description: 'The formula.' },
    {
      name: 'Version',
      type: 'string',
      jsonPath: '.status.active.version',
      description: 'What it serves now.',
    },
    { name: 'State', type: 'string', jsonPath: '.status.state', description: 'Where it stands.' },
    {
      name: 'Total',
      type: 'number',
      jsonPath: '.status.stages.total',
      description: 'Seconds until ready.',
    },
    {
      name: 'Revision',
      type: 'integer',
      jsonPath: '.spec.revision',
      description: "The delivery's revision.",
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
