import { z } from 'zod';
import { conditionsSchema } from '../condition.ts';
import type { ApiObject } from '../object-meta.ts';
import type { ResourceDefinition } from '../resource-definition.ts';
import { selectorTextSchema } from '../selector-text.ts';
import {
  channelCacheSchema,
  channelPathSchema,
  edgeHitsSchema,
  edgeStorageSchema,
  originUrlSchema,
  recentHitsSchema,
  streamLookSchema,
} from './channel-fields.ts';
import { errorSchema, stageTimesSchema, taplineGroup, taplineVersion } from './common.ts';
import { segmentNameSchema } from './network-fields.ts';

const ratio = z.number().min(0).max(1);

const spec = z.strictObject({
  origin: z
    .strictObject({
      url: originUrlSchema.describe('The HLS playlist that players would begin with.'),
      base: originUrlSchema
        .regex(/\/$/, 'must end with /')
        .optional()
        .describe('What all of the channel is below; absent: the folder of url.'),
      host: z.string().min(1).max(253).optional().describe('What the origin gets as Host.'),
    })
    .describe('Where the channel comes from.'),
  edges: z
    .strictObject({
      replicas: z.int().min(0).max(1000).default(2).describe('On how many nodes it is served.'),
      nodes: selectorTextSchema
        .optional()
        .describe('On which nodes, by their labels; absent: any that serves channels.'),
      spread: z
        .string()
        .min(1)
        .max(317)
        .optional()
        .describe('A label of nodes, such as zone: edges are spread evenly over its values.'),
      cpus: z.number().min(0).max(4096).default(0).describe('Cores an edge has to have.'),
      memoryBytes: z
        .int()
        .min(0)
        .max(2 ** 50)
        .default(0)
        .describe('Memory an edge has to have.'),
      moveAfterSeconds: z
        .int()
        .min(0)
        .max(86_400)
        .default(2)
        .describe('How long a node may be away before another one serves in its place.'),
      leaveSeconds: z
        .int()
        .min(0)
        .max(3600)
        .default(10)
        .describe('How long an edge goes on for the players that have not moved yet.'),
    })
    .prefault({})
    .describe('Who serves it.'),
  segment: segmentNameSchema
    .optional()
    .describe('A segment that has to stand on each node before it serves the channel.'),
  cache: channelCacheSchema.prefault({}).describe('How it is cached.'),
  objectives: z
    .strictObject({
      hitRatio: ratio
        .default(0.9)
        .describe('How much of the load of the validation the caches have to answer.'),
      trafficHitRatio: ratio
        .optional()
        .describe(
          'How much of what players ask; absent: as hitRatio, where each edge is asked 20 times a second.',
        ),
      firstSegmentSeconds: z
        .number()
        .min(0.001)
        .max(600)
        .default(2)
        .describe('How long an edge may take for the playlists and the newest segment.'),
      behindSeconds: z
        .number()
        .min(0.1)
        .max(3600)
        .default(10)
        .describe('How long a live playlist may stand still, beyond what it may by itself.'),
    })
    .prefault({})
    .describe('What it has to reach before it is ready.'),
  prime: z
    .strictObject({
      generation: z.int().min(1).default(1).describe('Raise it to prime once more.'),
      lastSeconds: z
        .number()
        .min(0)
        .max(1_000_000)
        .default(30)
        .describe('How much of what the playlists name is fetched, from its end.'),
      objects: z
        .array(
          z.strictObject({
            path: channelPathSchema,
            popularity: z.number().min(0).default(1).describe('Bytes sent ÷ its size.'),
          }),
        )
        .max(5000)
        .optional()
        .describe('What else is fetched, the most popular first; it is on more edges, too.'),
      bytesPerSecond: z
        .int()
        .min(1024)
        .max(2 ** 40)
        .default(12_500_000)
        .describe('How fast each edge may fetch for it.'),
    })
    .prefault({})
    .describe('What is in the caches before players ask for it.'),
  validate: z
    .strictObject({
      generation: z.int().min(1).default(1).describe('Raise it to validate once more.'),
      requests: z
        .int()
        .min(1)
        .max(1_000_000)
        .default(200)
        .describe('How many requests each edge is asked.'),
      requestsPerSecond: z.int().min(1).max(100_000).default(200),
      zipf: z
        .number()
        .min(0)
        .max(10)
        .default(0.9)
        .describe('How much more the popular is asked for; 0 is evenly.'),
      recorded: z
        .array(channelPathSchema)
        .min(1)
        .max(5000)
        .optional()
        .describe('Paths in the order in which players asked for them: replayed instead.'),
    })
    .prefault({})
    .describe('The load under which the objective has to be reached.'),
  flush: z
    .strictObject({
      generation: z.int().min(1).default(1).describe('Raise it to flush.'),
      path: channelPathSchema.optional().describe('Only this; absent: all of the channel.'),
      soft: z.boolean().default(false).describe('Keep it for when the origin fails.'),
    })
    .prefault({})
    .describe('What the caches forget.'),
  enrolment: z
    .string()
    .min(1)
    .max(253)
    .optional()
    .describe('The Enrolment that devices are onboarded with; absent: the one made for it.'),
});

const count = z.int().min(0);

const edge = z.strictObject({
  node: z.string().min(1).max(253),
  epoch: z.int().min(1),
  state: z
    .enum(['Starting', 'Serving', 'Ready', 'Leaving', 'Lost', 'Failed'])
    .describe('Ready is primed, too; Leaving serves whom it has, and gets nobody new.'),
  url: originUrlSchema.optional(),
  slow: z.boolean().optional().describe('Whether the stream comes too slowly from it.'),
});

const status = z.strictObject({
  observedGeneration: count.optional(),
  url: z.string().max(2048).optional().describe('Where players begin.'),
  edges: z.array(edge).max(2000).optional().describe('Who serves it.'),
  counts: z
    .strictObject({ desired: count, placed: count, serving: count, ready: count })
    .optional()
    .describe('Of edges.'),
  step: z.string().max(64).optional().describe('The first condition that does not hold yet.'),
  template: z.string().max(64).optional().describe('Of which spec the stages are.'),
  startedAt: z.iso.datetime({ offset: true }).optional().describe('When the stages began.'),
  stages: stageTimesSchema.optional(),
  primed: z
    .strictObject({ objects: count, bytes: count, failed: count })
    .optional()
    .describe('What the edges fetched before anybody asked for it.'),
  validation: edgeHitsSchema.optional().describe('What the load of the validation came to.'),
  validatedAt: z.iso.datetime({ offset: true }).optional(),
  validationRun: count.optional().describe('Which attempt that was.'),
  flushed: count.optional().describe('The flush that every edge has done.'),
  storage: edgeStorageSchema
    .optional()
    .describe('What it has on the edge that keeps the most of it, in each.'),
  traffic: edgeHitsSchema.optional().describe('What players asked the edges, since those started.'),
  recent: recentHitsSchema.optional().describe('What players asked the edges lately.'),
  stream: streamLookSchema.optional().describe('How the stream comes from the worst edge.'),
  error: errorSchema.optional(),
  conditions: conditionsSchema,
});

export type ChannelSpec = z.infer<typeof spec>;
export type ChannelStatus = z.infer<typeof status>;
export type ChannelEdgeState = z.infer<typeof edge>;
export type Channel = ApiObject<ChannelSpec, ChannelStatus>;

/** The conditions of a channel in the order in which they come to hold. */
export const channelSteps = [
  'Segment',
  'Scheduled',
  'Cached',
  'Primed',
  'Validated',
  'Ready',
] as const;

export const channelResource: ResourceDefinition<ChannelSpec, ChannelStatus> = {
  group: taplineGroup,
  version: taplineVersion,
  kind: 'Channel',
  plural: 'channels',
  singular: 'channel',
  shortNames: ['ch'],
  categories: ['all', 'tapline'],
  scope: 'Cluster',
  description: 'Internet TV: an HLS stream that nodes serve from their caches.',
  spec,
  status,
  selectableFields: [],
  columns: [
    {
      name: 'Ready',
      type: 'string',
      jsonPath: '.status.conditions[?(@.type=="Ready")].status',
      description: 'Whether players can begin.',
    },
    { name: 'Step', type: 'string', jsonPath: '.status.step', description: 'What it waits for.' },
    {
      name: 'Edges',
      type: 'integer',
      jsonPath: '.status.counts.desired',
      description: 'On how many nodes it is to be.',
    },
    {
      name: 'Serving',
      type: 'integer',
      jsonPath: '.status.counts.serving',
      description: 'How many serve it.',
    },
    {
      name: 'Hit ratio',
      type: 'number',
      jsonPath: '.status.validation.ratio',
      description: 'Under the load of the validation.',
    },
    // How long each step took; Ready takes none of its own.
    ...channelSteps.slice(0, -1).map((step) => ({
      name: step,
      type: 'number' as const,
      jsonPath: `.status.stages.${step.toLowerCase()}`,
      description: `Seconds until ${step} held, from the step before.`,
    })),
    {
      name: 'Seconds',
      type: 'number',
      jsonPath: '.status.stages.total',
      description: 'From its spec until it was ready.',
    },
    {
      name: 'Memory',
      type: 'integer',
      jsonPath: '.status.storage.memoryBytes',
      description: 'Bytes in memory, on the edge that keeps the most.',
    },
    {
      name: 'Disk',
      type: 'integer',
      jsonPath: '.status.storage.diskBytes',
      description: 'Bytes on disk, on the edge that keeps the most.',
    },
    {
      name: 'Reason',
      type: 'string',
      jsonPath: '.status.conditions[?(@.type=="Ready")].reason',
      description: 'Why or why not.',
    },
    {
      name: 'URL',
      type: 'string',
      jsonPath: '.status.url',
      description: 'Where players begin.',
      priority: 1,
    },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'Age.' },
  ],
};
