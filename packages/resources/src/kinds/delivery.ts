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
  imageReferenceSchema,
  limitsSchema,
  networkSchema,
  packageVersionSchema,
  platformSchema,
  portsSchema,
  problemOfPorts,
  runSchema,
  segmentPlaceSchema,
  stageTimesSchema,
  taplineGroup,
  taplineVersion,
} from './common.ts';

const share = z
  .union([z.int().min(0).max(1_000_000), z.string().regex(/^(100|[1-9]?[0-9])%$/)])
  .describe('A number of devices, or a percentage such as 25%.');

export const labelSelectorSchema = z.strictObject({
  matchLabels: z.record(z.string().max(317), z.string().max(63)).optional(),
  matchExpressions: z
    .array(
      z.strictObject({
        key: z.string().min(1).max(317),
        operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']),
        values: z.array(z.string().max(63)).max(1000).optional(),
      }),
    )
    .max(100)
    .optional(),
});

const strategy = z.strictObject({
  waves: z
    .array(share)
    .min(1)
    .max(100)
    .default(['100%'])
    .describe('How many devices, in total, each wave reaches; the last one reaches all.'),
  quorum: share
    .default('100%')
    .describe("How many of a wave's reachable devices must be ready before the next wave."),
  errorBudget: share.default(0).describe('How many devices may fail before the rollout stops.'),
  progressDeadlineSeconds: z
    .int()
    .min(1)
    .max(604_800)
    .default(600)
    .describe('A reachable device that is not ready after this counts as failed.'),
});

const fields = z.strictObject({
  package: z
    .strictObject({
      formula: formulaSchema,
      version: packageVersionSchema.optional().describe('Absent: what Homebrew serves at rollout.'),
      image: imageReferenceSchema
        .optional()
        .describe('In place of Homebrew: the image, which formula is only a name for.'),
    })
    .describe('What to deliver.'),
  selector: labelSelectorSchema.describe('To which devices, by their labels.'),
  rollout: z
    .int()
    .min(1)
    .default(1)
    .describe('Raise it to roll the same package out again, checks included.'),
  strategy: strategy.optional().describe('How to roll out.'),
  run: runSchema.optional().describe('A program to keep running; absent for command-line tools.'),
  ports: portsSchema
    .optional()
    .describe('Ports that stay open while the program behind them is replaced.'),
  drainSeconds: drainSecondsSchema.optional(),
  health: healthCheckSchema
    .optional()
    .describe("What must succeed; absent: the package's main program with --version."),
  limits: limitsSchema.optional(),
  network: networkSchema.optional(),
  segment: segmentPlaceSchema
    .optional()
    .describe('The program has an interface in this segment and no other; its device is a node.'),
  paused: z.boolean().optional().describe('Whether to hold the rollout where it stands.'),
});

const spec = fields.superRefine((one, context) => {
  if (one.run !== undefined && one.run.command === undefined && one.package.image === undefined) {
    const message = 'is needed: a package from Homebrew has no program of its own to run';
    context.addIssue({ code: 'custom', path: ['run', 'command'], message });
  }
  const problem =
    one.ports !== undefined && one.run === undefined
      ? { path: 'ports', message: 'need a program that is kept running' }
      : problemOfPorts(one);
  if (problem !== undefined) {
    context.addIssue({ code: 'custom', path: [problem.path], message: problem.message });
  }
});

const pinnedImage = z.strictObject({
  platform: platformSchema,
  digest: digestSchema,
  sizeBytes: z.int().min(0),
  unpackedBytes: z.int().min(0),
  main: z.string().max(4096).optional(),
});

const count = z.int().min(0);

const status = z.strictObject({
  observedGeneration: z.int().min(0).optional(),
  revision: z.int().min(0).optional().describe('Number of the newest rollout; Installs carry it.'),
  template: z
    .string()
    .max(64)
    .optional()
    .describe('Fingerprint of what this revision is of; a spec with another one makes a new one.'),
  version: packageVersionSchema.optional().describe('The version this revision delivers.'),
  repository: z.string().max(255).optional(),
  images: z.array(pinnedImage).max(16).optional().describe('What this revision delivers.'),
  counts: z
    .strictObject({
      desired: count.describe('Devices selected.'),
      reachable: count.describe('Of those, connected.'),
      updated: count.describe('With an Install of this revision.'),
      ready: count.describe('Ready at this revision.'),
      failed: count.describe('Failed or rolled back at this revision.'),
      offline: count.describe('Not connected and not ready at this revision.'),
    })
    .optional(),
  wave: z.strictObject({ current: count, total: count }).optional(),
  acceptedAt: z.iso.datetime({ offset: true }).optional().describe('When this revision began.'),
  completedAt: z.iso
    .datetime({ offset: true })
    .optional()
    .describe('When its last device was ready.'),
  stages: z
    .array(
      z.strictObject({
        name: z.string().max(32),
        p50Seconds: z.number().min(0),
        p99Seconds: z.number().min(0),
      }),
    )
    .max(32)
    .optional()
    .describe('Time in each stage over the devices of this revision.'),
  packageStages: stageTimesSchema.optional().describe('Stages before any device was told.'),
  history: z
    .array(
      z.strictObject({
        revision: z.int().min(1),
        version: packageVersionSchema,
        outcome: z.enum(['Progressing', 'Complete', 'Failed', 'Superseded']),
        at: z.iso.datetime({ offset: true }),
      }),
    )
    .max(10)
    .optional()
    .describe('The newest rollouts, newest first.'),
  error: errorSchema.optional(),
  conditions: conditionsSchema,
});

export type DeliverySpec = z.infer<typeof spec>;
export type DeliveryStatus = z.infer<typeof status>;
export type DeliveryStrategy = z.infer<typeof strategy>;
export type PinnedImage = z.infer<typeof pinnedImage>;
export type LabelSelector = z.infer<typeof labelSelectorSchema>;
export type Delivery = ApiObject<DeliverySpec, DeliveryStatus>;

export const deliveryResource: ResourceDefinition<DeliverySpec, DeliveryStatus> = {
  group: taplineGroup,
  version: taplineVersion,
  kind: 'Delivery',
  plural: 'deliveries',
  singular: 'delivery',
  shortNames: ['dl'],
  categories: ['all', 'tapline'],
  scope: 'Cluster',
  description: 'A package to a set of devices.',
  spec,
  status,
  selectableFields: ['spec.package.formula'],
  columns: [
    { name: 'Formula', type: 'string', jsonPath: '.spec.package.formula', description: 'What.' },
    { name: 'Version', type: 'string', jsonPath: '.status.version', description: 'Its version.' },
    {
      name: 'Desired',
      type: 'integer',
      jsonPath: '.status.counts.desired',
      description: 'Devices selected.',
    },
    {
      name: 'Ready',
      type: 'integer',
      jsonPath: '.status.counts.ready',
      description: 'Devices ready.',
    },
    {
      name: 'Failed',
      type: 'integer',
      jsonPath: '.status.counts.failed',
      description: 'Devices failed.',
    },
    {
      name: 'Offline',
      type: 'integer',
      jsonPath: '.status.counts.offline',
      description: 'Devices offline.',
    },
    {
      name: 'Status',
      type: 'string',
      jsonPath: '.status.conditions[?(@.type=="Ready")].reason',
      description: 'Where the rollout stands.',
    },
    {
      name: 'Revision',
      type: 'integer',
      jsonPath: '.status.revision',
      description: 'Number of the newest rollout.',
      priority: 1,
    },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'Age.' },
  ],
};
