import { z } from 'zod';

/** Fields that a Channel has and each ChannelEdge. */
export const originUrlSchema: z.ZodString = z
  .string()
  .regex(/^https?:\/\/[^/?#\s@]+(?:\/[^?#\s]*)?(?:\?[^#\s]*)?$/, 'must be an http or https address')
  .max(2048);

export const channelPathSchema: z.ZodString = z
  .string()
  .regex(/^[^/\s?#][^\s#]*$/)
  .max(2048)
  .describe("Below the channel's prefix, such as hd/seg-17.ts.");

const seconds = z.number().min(0).max(31_536_000);
const count = z.int().min(0).max(1_000_000);

const storedBytes = z
  .int()
  .min(0)
  .max(2 ** 50);

export const channelCacheSchema = z.strictObject({
  playlistSeconds: seconds
    .default(1)
    .describe('How long a playlist is kept that does not say so itself.'),
  segmentSeconds: seconds
    .default(1_209_600)
    .describe('How long a segment is kept that does not say so itself.'),
  negativeSeconds: seconds.default(1).describe('How long 404 and errors are kept.'),
  staleWhileRevalidateSeconds: seconds.default(0),
  staleIfErrorSeconds: seconds
    .default(60)
    .describe('How long what is kept stands in for an origin that fails.'),
  maxObjectBytes: z
    .int()
    .min(1024)
    .max(2 ** 32)
    .default(67_108_864)
    .describe('Larger ones are passed on and not kept.'),
  rangeMiss: z
    .enum(['whole', 'forward'])
    .default('whole')
    .describe('Whether a range of what is not kept makes an edge fetch all of it.'),
  parents: z
    .array(originUrlSchema)
    .max(64)
    .optional()
    .describe('Other caches to ask before the origin, each for its share.'),
  limits: z
    .strictObject({
      concurrentRequests: count.default(10_000),
      requestsPerSecond: count.default(0).describe('0 is no limit.'),
      concurrentFetches: count.default(256),
      memoryBytes: storedBytes
        .default(0)
        .describe('The most it keeps in memory, beyond which it gives up its own; 0 is no limit.'),
      diskBytes: storedBytes.default(0).describe('The most it keeps on disk, in the same way.'),
    })
    .prefault({})
    .describe('Of each edge.'),
});

const whole = z.int().min(0);

export const edgeHitsSchema = z.strictObject({
  requests: whole,
  hits: whole.describe('Answered by a cache.'),
  ratio: z.number().min(0).max(1).describe('Hits ÷ requests; 0 where there were none.'),
  misses: z
    .strictObject({
      content: whole.describe('Not in the cache, as new content is.'),
      health: whole.describe('The edge or its origin failed.'),
      other: whole.describe('There, and not to be used, as what is stale.'),
    })
    .optional(),
});

/** What an edge keeps of a channel. */
export const edgeStorageSchema = z.strictObject({
  memoryBytes: whole.describe('In memory, with what each object takes beside its body.'),
  diskBytes: whole.describe('On disk.'),
});

/** What players got from an edge lately. */
export const recentHitsSchema = edgeHitsSchema.extend({
  seconds: z.number().min(0).describe('Over how long.'),
});

/** How a stream comes from an edge, asked for as a player begins. */
export const streamLookSchema = z.strictObject({
  firstSegmentSeconds: z
    .number()
    .min(0)
    .optional()
    .describe('For the playlists and the newest segment together; absent where it did not come.'),
  behindSeconds: z
    .number()
    .min(0)
    .optional()
    .describe('How long a live playlist has not gone on, beyond what it may.'),
  failure: z.string().max(1024).optional().describe('Why it did not come.'),
});

export type EdgeStorage = z.infer<typeof edgeStorageSchema>;
export type RecentHits = z.infer<typeof recentHitsSchema>;
export type StreamLook = z.infer<typeof streamLookSchema>;
export type ChannelCache = z.infer<typeof channelCacheSchema>;
export type EdgeHits = z.infer<typeof edgeHitsSchema>;
