import { z } from 'zod';
import { conditionsSchema } from '../condition.ts';
import type { ApiObject } from '../object-meta.ts';
import type { ResourceDefinition } from '../resource-definition.ts';
import { selectorTextSchema } from '../selector-text.ts';
import {
  drainSecondsSchema,
  errorSchema,
  formulaSchema,
  healthCheckSchema,
  imageReferenceSchema,
  limitsSchema,
  networkSchema,
  packageVersionSchema,
  portsSchema,
  problemOfPorts,
  runSchema,
  segmentPlaceSchema,
  taplineGroup,
  taplineVersion,
} from './common.ts';

const fields = z.strictObject({
  package: z
    .strictObject({
      formula: formulaSchema,
      version: packageVersionSchema.optional().describe('Absent: what Homebrew serves.'),
    })
    .optional()
    .describe('Whose program it is.'),
  image: imageReferenceSchema.optional().describe('In place of a package: whose program it is.'),
  run: runSchema
    .optional()
    .describe('What is kept running; of an image, its own program if absent.'),
  ports: portsSchema
    .optional()
    .describe('Ports that stay open while the program behind them is replaced.'),
  drainSeconds: drainSecondsSchema.optional(),
  engine: z
    .strictObject({
      channel: z.string().min(1).max(253).describe('The channel that the edge cache serves.'),
    })
    .optional()
    .describe('In place of a program: what the agent of a node has itself.'),
  health: healthCheckSchema.optional().describe('What must succeed before it counts as ready.'),
  limits: limitsSchema.optional(),
  network: networkSchema.optional(),
  segment: segmentPlaceSchema.optional().describe('Where it has its one interface.'),
  replicas: z.int().min(0).max(1000).default(1).describe('On how many nodes it runs.'),
  nodes: selectorTextSchema.optional().describe('On which nodes, by their labels; absent: any.'),
  spread: z
    .string()
    .min(1)
    .max(317)
    .optional()
    .describe('A label of nodes, such as zone: replicas are spread evenly over its values.'),
  resources: z
    .strictObject({
      cpus: z.number().min(0).max(4096).default(0).describe('Cores it has to have.'),
      memoryBytes: z
        .int()
        .min(0)
        .max(2 ** 50)
        .default(0)
        .describe('Memory it has to have.'),
    })
    .prefault({})
    .describe('What a node has to have free.'),
  moveAfterSeconds: z
    .int()
    .min(0)
    .max(86_400)
    .default(3)
    .describe('How long a node may be away before its replica is put elsewhere.'),
  atOnce: z
    .int()
    .min(1)
    .max(1000)
    .default(1)
    .describe('How many replicas are replaced at a time by another version.'),
});

const spec = fields.superRefine((one, context) => {
  const isProgram = one.package !== undefined && one.run?.command !== undefined;
  const kinds = [
    isProgram && one.image === undefined,
    one.image !== undefined && one.package === undefined,
    one.package === undefined && one.image === undefined && one.run === undefined,
  ];
  if (!(one.engine === undefined ? kinds[0] || kinds[1] : kinds[2] && one.ports === undefined)) {
    const message = 'must have a package and what to run of it, or an image, or else an engine';
    context.addIssue({ code: 'custom', path: ['package'], message });
  }
  const problem = problemOfPorts(one);
  if (problem !== undefined) {
    context.addIssue({ code: 'custom', path: [problem.path], message: problem.message });
  }
});

const count = z.int().min(0);

const placement = z.strictObject({
  node: z.string().min(1).max(253),
  epoch: z.int().min(1).describe('Higher than that of any placement before it.'),
  state: z
    .enum(['Starting', 'Ready', 'Leaving', 'Lost'])
    .describe('Leaving runs until others are ready; Lost is where nobody answers.'),
});

const status = z.strictObject({
  observedGeneration: count.optional(),
  epoch: count.optional().describe('Of the newest placement.'),
  placements: z.array(placement).max(2000).optional().describe('Where it runs.'),
  counts: z
    .strictObject({
      desired: count,
      placed: count.describe('On nodes that are there.'),
      ready: count.describe('Of those, ready.'),
    })
    .optional(),
  delivery: z.string().max(253).optional().describe('What brings it to its nodes.'),
  error: errorSchema.optional(),
  conditions: conditionsSchema,
});

export type WorkloadSpec = z.infer<typeof spec>;
export type WorkloadStatus = z.infer<typeof status>;
export type WorkloadPlacement = z.infer<typeof placement>;
export type Workload = ApiObject<WorkloadSpec, WorkloadStatus>;

/** Label of a Device whose value is the epoch of a workload's placement there. */
export function workloadLabel(workload: string): string {
  return `workload.tapline.dev/${workload}`;
}

/** What the program of a workload's image is called among packages; formulae have no such name. */
export function workloadImagePackage(workload: string): string {
  return `${workload}.image`;
}

/** Which package a workload's program is of; undefined for what a node has itself. */
export function workloadPackage(workload: Pick<Workload, 'metadata' | 'spec'>): string | undefined {
  return workload.spec.image === undefined
    ? workload.spec.package?.formula
    : workloadImagePackage(workload.metadata.name);
}

export const workloadResource: ResourceDefinition<WorkloadSpec, WorkloadStatus> = {
  group: taplineGroup,
  version: taplineVersion,
  kind: 'Workload',
  plural: 'workloads',
  singular: 'workload',
  shortNames: ['wl'],
  categories: ['all', 'tapline'],
  scope: 'Cluster',
  description: 'A program that is kept running on some nodes, elsewhere when one is lost.',
  spec,
  status,
  selectableFields: ['spec.package.formula'],
  columns: [
    {
      name: 'Desired',
      type: 'integer',
      jsonPath: '.status.counts.desired',
      description: 'On how many nodes it is to run.',
    },
    {
      name: 'Placed',
      type: 'integer',
      jsonPath: '.status.counts.placed',
      description: 'For how many there is a node.',
    },
    {
      name: 'Ready',
      type: 'integer',
      jsonPath: '.status.counts.ready',
      description: 'On how many it is ready.',
    },
    {
      name: 'Image',
      type: 'string',
      jsonPath: '.spec.image',
      description: 'Whose program it is.',
      priority: 1,
    },
    {
      name: 'Segment',
      type: 'string',
      jsonPath: '.spec.segment.name',
      description: 'Where it has its interface.',
    },
    {
      name: 'Reason',
      type: 'string',
      jsonPath: '.status.conditions[?(@.type=="Ready")].reason',
      description: 'Why or why not.',
    },
    {
      name: 'Epoch',
      type: 'integer',
      jsonPath: '.status.epoch',
      description: 'Newest placement.',
      priority: 1,
    },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'Age.' },
  ],
};
