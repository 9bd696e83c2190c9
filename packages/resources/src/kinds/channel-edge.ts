import { z } from 'zod';
import { conditionsSchema } from '../condition.ts';
import type { ApiObject } from '../object-meta.ts';
import type { ResourceDefinition } from '../resource-definition.ts';
import {
  channelCacheSchema,
  channelPathSchema,
  edgeHitsSchema,
  edgeStorageSchema,
  originUrlSchema,
  recentHitsSchema,
  streamLookSchema,
} from './channel-fields.ts';
import { errorSchema, taplineGroup, taplineVersion } from './common.ts';

const count = z.int().min(0);

const spec = z.strictObject({
  channel: z.string().min(1).max(253),
  node: z.string().min(1).max(253),
  epoch: z.int().min(1).describe('Of its placement; a node refuses one older than it has.'),
  playlist: z
    .string()
    .min(1)
    .max(2048)
    .describe("What players begin with, below the origin's base."),
  origin: z.strictObject({
    base: originUrlSchema,
    host: z.string().min(1).max(253).optional(),
  }),
  cache: channelCacheSchema,
  pathways: z
    .array(z.strictObject({ node: z.string().min(1).max(253), url: originUrlSchema }))
    .max(1000)
    .describe('The edges that players are sent to, by address.'),
  leavingAt: z.iso
    .datetime({ offset: true })
    .optional()
    .describe('Since when it gets nobody new, where it is to go.'),
  prime: z.strictObject({
    generation: z.int().min(1),
    lastSeconds: z.number().min(0),
    objects: z.array(channelPathSchema).max(5000).describe('Its share, the most popular first.'),
    bytesPerSecond: z.int().min(1024),
  }),
  flush: z.strictObject({
    generation: z.int().min(1),
    path: channelPathSchema.optional(),
    soft: z.boolean(),
  }),
  validate: z
    .strictObject({
      run: z.int().min(1).describe('Which attempt it is.'),
      requests: z.int().min(1),
      requestsPerSecond: z.int().min(1),
      zipf: z.number().min(0),
      recorded: z.array(channelPathSchema).max(5000).optional(),
    })
    .optional()
    .describe('The load to be under, once it is primed.'),
});

const status = z.strictObject({
  observedEpoch: count.optional(),
  state: z.enum(['Starting', 'Serving', 'Ready', 'Failed']).optional(),
  url: originUrlSchema.optional().describe('Of the edge, without the prefix of the channel.'),
  startSeconds: z.number().min(0).optional().describe('From its spec until it served.'),
  primed: z
    .strictObject({
      generation: count,
      objects: count,
      bytes: count,
      failed: count,
      seconds: z.number().min(0),
    })
    .optional(),
  validation: edgeHitsSchema
    .extend({
      run: count,
      seconds: z.number().min(0),
      p99Ms: z.number().min(0).describe('Until the last byte of an answer.'),
    })
    .optional(),
  flushed: count.optional().describe('Generation of the newest flush that it has done.'),
  traffic: edgeHitsSchema.optional().describe('What players asked it, since it started.'),
  recent: recentHitsSchema.optional().describe('What players asked it lately.'),
  stream: streamLookSchema.optional().describe('How the stream came when it was last looked at.'),
  storage: edgeStorageSchema.optional().describe('What it keeps.'),
  restarts: count.optional().describe('How often its program ended by itself.'),
  error: errorSchema.optional(),
  conditions: conditionsSchema,
});

export type ChannelEdgeSpec = z.infer<typeof spec>;
export type ChannelEdgeStatus = z.infer<typeof status>;
export type ChannelEdge = ApiObject<ChannelEdgeSpec, ChannelEdgeStatus>;

export const channelEdgeResource: ResourceDefinition<ChannelEdgeSpec, ChannelEdgeStatus> = {
  group: taplineGroup,
  version: taplineVersion,
  kind: 'ChannelEdge',
  plural: 'channeledges',
  singular: 'channeledge',
  shortNames: ['ce'],
  categories: ['tapline'],
  scope: 'Cluster',
  description: 'A channel on one node; made by the control plane.',
  spec,
  status,
  selectableFields: ['spec.node', 'spec.channel'],
  columns: [
    { name: 'Channel', type: 'string', jsonPath: '.spec.channel', description: 'Of what.' },
    { name: 'Node', type: 'string', jsonPath: '.spec.node', description: 'Where.' },
    { name: 'Epoch', type: 'integer', jsonPath: '.spec.epoch', description: 'Of its placement.' },
    { name: 'State', type: 'string', jsonPath: '.status.state', description: 'How far it is.' },
    { name: 'URL', type: 'string', jsonPath: '.status.url', description: 'Of the edge.' },
    {
      name: 'Hit ratio',
      type: 'number',
      jsonPath: '.status.traffic.ratio',
      description: 'Of what players asked.',
    },
    {
      name: 'Memory',
      type: 'integer',
      jsonPath: '.status.storage.memoryBytes',
      description: 'Bytes it keeps in memory.',
    },
    {
      name: 'Disk',
      type: 'integer',
      jsonPath: '.status.storage.diskBytes',
      description: 'Bytes it keeps on disk.',
    },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'Age.' },
  ],
};
