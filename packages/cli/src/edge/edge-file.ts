import { readFile } from 'node:fs/promises';
import { defined, TaplineError } from '@tapline/base';
import { type ChannelSettings, channelSettings, type EntryChannel } from '@tapline/edge-cache';
import { parse } from 'yaml';
import { z } from 'zod';

const ms = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const duration = z
  .string()
  .regex(/^\d{1,6}(?:ms|s|m|h|d)$/, 'write it as 500ms, 30s, 10m, 1h or 14d')
  .transform((text) => {
    const unit = /[a-z]+$/.exec(text)?.[0] ?? '';
    return Number.parseInt(text, 10) * ms[unit as keyof typeof ms];
  });
const count = z.int().min(0).max(1_000_000);
const bytes = z
  .int()
  .min(0)
  .max(2 ** 50);
const url = z.url({ protocol: /^https?$/, error: 'is no http or https URL' });

const channel = z.strictObject({
  name: z.string(),
  hosts: z.array(z.string().min(1)).optional(),
  prefix: z.string().optional(),
  stripPrefix: z.boolean().optional(),
  anySite: z.boolean().optional(),
  origins: z.array(url).min(1),
  parents: z.array(url).optional(),
  originHost: z.string().optional(),
  forwardedFields: z.union([z.literal('all'), z.array(z.string().toLowerCase())]).optional(),
  retries: z.int().min(0).max(5).optional(),
  redirects: z
    .strictObject({ follow: z.int().min(0).max(10), hosts: z.array(z.string().min(1)).default([]) })
    .optional(),
  staleWhileRevalidate: duration.optional(),
  staleIfError: duration.optional(),
  rangeMiss: z.enum(['whole', 'forward']).optional(),
  maxObjectBytes: z
    .int()
    .min(1024)
    .max(2 ** 32)
    .optional(),
  honourRequestDirectives: z.boolean().optional(),
  defaults: z
    .strictObject({ playlist: duration, segment: duration, negative: duration })
    .optional(),
  limits: z
    .strictObject({
      concurrentRequests: count,
      requestsPerSecond: count,
      concurrentFetches: count,
      memoryBytes: bytes.default(0),
      diskBytes: bytes.default(0),
    })
    .optional(),
  /** Names of environment variables that hold the secrets, by key id. */
  signing: z.record(z.string().regex(/^[A-Za-z0-9_-]{1,32}$/), z.string().min(1)).optional(),
  entry: z
    .strictObject({
      playlist: z.string().min(1).max(2048),
      originBase: url,
      pathways: z
        .array(z.strictObject({ id: z.string().regex(/^[A-Za-z0-9._-]{1,253}$/), url }))
        .min(1)
        .max(1000),
      steeringSeconds: z.int().min(1).max(3600).default(4),
    })
    .optional(),
});
const schema = z.strictObject({ channels: z.array(channel) });

/** What an edge serves. */
export interface EdgeFile {
  readonly channels: readonly ChannelSettings[];
  /** Those for which it makes the playlist that players begin with. */
  readonly entries: readonly EntryChannel[];
}

/** Reads the channels of a file. Throws `invalid_file` with every field that is not as it should be. */
export async function loadEdgeFile(
  path: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<EdgeFile> {
  let value: unknown;
  try {
    value = parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw new TaplineError('invalid_file', `${path} cannot be read as YAML`, { cause });
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(
      ({ path: at, message }) => `${at.join('.')}${foundAt(value, at)}: ${message}`,
    );
    throw new TaplineError('invalid_file', `${path}: ${problems.join('; ')}`, {
      hint: 'docs/guides/edge-cache.md has the fields',
    });
  }
  const { channels } = parsed.data;
  return {
    channels: channels.map((given) => settingsOf(given, environment)),
    entries: channels.flatMap(({ prefix = '/', entry }) =>
      entry === undefined ? [] : [{ prefix, entry }],
    ),
  };
}

function settingsOf(
  given: z.infer<typeof channel>,
  environment: Readonly<Record<string, string | undefined>>,
): ChannelSettings {
  const { name, origins, defaults, signing, entry: _entry, ...rest } = given;
  const { staleIfError, staleWhileRevalidate, ...same } = rest;
  return channelSettings({
    ...defined(same),
    name,
    origins,
    ...(staleIfError !== undefined && { staleIfErrorMs: staleIfError }),
    ...(staleWhileRevalidate !== undefined && { staleWhileRevalidateMs: staleWhileRevalidate }),
    ...(defaults !== undefined && {
      defaults: {
        playlistMs: defaults.playlist,
        segmentMs: defaults.segment,
        negativeMs: defaults.negative,
      },
    }),
    ...(signing !== undefined && { signing: { keys: secretsOf(signing, environment) } }),
  });
}

function secretsOf(
  names: Readonly<Record<string, string>>,
  environment: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(names).map(([id, name]) => {
      const secret = environment[name] ?? '';
      if (secret.length >= 16) return [id, secret];
      throw new TaplineError(
        'invalid_file',
        `key ${id} is to be in the environment variable ${name}, which holds less than 16 characters`,
      );
    }),
  );
}

/** What stands in the document there, where it is short enough to be shown. */
function foundAt(document: unknown, path: readonly PropertyKey[]): string {
  let found = document;
  for (const key of path)
    found = (found as Readonly<Record<PropertyKey, unknown>> | undefined)?.[key];
  const isShown = ['string', 'number', 'boolean'].includes(typeof found);
  return isShown ? ` ${JSON.stringify(found).slice(0, 100)}` : '';
}
