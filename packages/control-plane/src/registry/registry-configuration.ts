import { TaplineError } from '@tapline/base';
import { type Platform, parsePlatform } from '@tapline/oci';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

/** What a control plane is told of other registries; see docs/guides/registry.md. */
export interface RegistryConfiguration {
  readonly mirrors: readonly MirrorConfiguration[];
  readonly replication: readonly ReplicationConfiguration[];
}

/** Another registry, and how to log in there. */
export interface RemoteConfiguration {
  readonly url: string;
  readonly caFile?: string | undefined;
  readonly login?:
    | {
        readonly username: string;
        /** In a file, read for each login; or what an environment variable had. */
        readonly password: { readonly file: string } | { readonly text: string };
      }
    | undefined;
}

export interface MirrorConfiguration extends RemoteConfiguration {
  readonly prefix: string;
  readonly tagTtlMs?: number | undefined;
}

export interface ReplicationConfiguration extends RemoteConfiguration {
  readonly name: string;
  readonly direction: 'push' | 'pull';
  readonly repositories: readonly string[];
  readonly tags: readonly string[];
  readonly platforms?: readonly Platform[] | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly prefix: string;
  readonly referrers: boolean;
  readonly deletion: boolean;
  readonly onPush: boolean;
  readonly everyMs?: number | undefined;
  readonly bytesPerSecond?: number | undefined;
}

const unitMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const unitBytes = { kB: 1000, MB: 1_000_000, GB: 1_000_000_000 } as const;

const duration = z
  .string()
  .regex(/^[1-9]\d{0,5}[smhd]$/, 'write it as 30s, 5m, 1h or 1d')
  .transform((text) => Number.parseInt(text, 10) * unitMs[text.slice(-1) as keyof typeof unitMs]);

const rate = z
  .string()
  .regex(/^[1-9]\d{0,5}(?:kB|MB|GB)\/s$/, 'write it as 500kB/s or 10MB/s')
  .transform(
    (text) => Number.parseInt(text, 10) * unitBytes[text.slice(-4, -2) as keyof typeof unitBytes],
  );

const password = z.union([
  z.strictObject({ file: z.string().min(1) }),
  z.strictObject({ environment: z.string().min(1) }),
]);

const remote = {
  url: z.url({ protocol: /^https?$/ }),
  caFile: z.string().optional(),
  login: z.strictObject({ username: z.string().min(1), password }).optional(),
};

const repositoryPart = /^[a-z0-9]+(?:[._-][a-z0-9]+)*(?:\/[a-z0-9]+(?:[._-][a-z0-9]+)*)*$/;

const mirror = z.strictObject({
  ...remote,
  prefix: z.string().regex(repositoryPart, 'is no part of a repository name'),
  tagTtl: duration.optional(),
});

const policy = z.strictObject({
  ...remote,
  name: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'is not 1 to 63 of a-z, 0-9 and -'),
  direction: z.enum(['push', 'pull']),
  repositories: z.array(z.string()).min(1).default(['**']),
  tags: z.array(z.string()).default([]),
  platforms: z.array(z.string()).min(1).optional(),
  labels: z.record(z.string(), z.string()).optional(),
  prefix: z.string().regex(repositoryPart, 'is no part of a repository name').optional(),
  referrers: z.boolean().default(true),
  deletion: z.boolean().default(false),
  onPush: z.boolean().optional(),
  every: duration.optional(),
  bandwidth: rate.optional(),
});

const schema = z.strictObject({
  mirrors: z.array(mirror).default([]),
  replication: z.array(policy).default([]),
});

/** Reads the file; errors name the field. Paths in it are from the folder that it is in. */
export async function loadRegistryConfiguration(
  path: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<RegistryConfiguration> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new TaplineError('configuration_invalid', `${path} cannot be read`, { cause });
  }
  return parseRegistryConfiguration(text, { path, environment });
}

export function parseRegistryConfiguration(
  text: string,
  context: FileContext,
): RegistryConfiguration {
  const { path } = context;
  let document: unknown;
  try {
    document = parse(text) ?? {};
  } catch (cause) {
    throw new TaplineError('configuration_invalid', `${path} is not YAML`, { cause });
  }
  const parsed = schema.safeParse(document);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = issue?.path.join('.') ?? '';
    const message = `${path}: ${where === '' ? '' : `${where}: `}${issue?.message ?? 'is not valid'}`;
    throw new TaplineError('configuration_invalid', message, {
      hint: 'see docs/guides/registry.md',
    });
  }
  const { mirrors, replication } = parsed.data;
  assertUnique(
    mirrors.map(({ prefix }) => prefix),
    'prefix',
    path,
  );
  assertUnique(
    replication.map(({ name }) => name),
    'policy',
    path,
  );
  return {
    mirrors: mirrors.map(({ tagTtl, ...rest }) => ({
      ...resolved(rest, context),
      tagTtlMs: tagTtl,
    })),
    replication: replication.map(({ every, bandwidth, platforms, prefix, onPush, ...rest }) => ({
      ...resolved(rest, context),
      platforms: platforms?.map(parsePlatform),
      prefix: prefix === undefined ? '' : `${prefix}/`,
      onPush: onPush ?? rest.direction === 'push',
      everyMs: every,
      bytesPerSecond: bandwidth,
    })),
  };
}

interface FileContext {
  readonly path: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

type Parsed = Pick<z.infer<typeof mirror>, 'url' | 'caFile' | 'login'>;

/** Paths made absolute, and the secrets of the environment taken from there. */
function resolved<T extends Parsed>(
  given: T,
  { path, environment }: FileContext,
): Omit<T, keyof Parsed> & RemoteConfiguration {
  const { url, caFile, login, ...rest } = given;
  const folder = dirname(path);
  return {
    ...rest,
    url,
    ...(caFile !== undefined && { caFile: resolve(folder, caFile) }),
    ...(login !== undefined && {
      login: { username: login.username, password: passwordOf(login.password) },
    }),
  };

  function passwordOf(
    source: z.infer<typeof password>,
  ): { readonly file: string } | { readonly text: string } {
    if ('file' in source) return { file: resolve(folder, source.file) };
    const text = environment[source.environment];
    if (text !== undefined && text !== '') return { text };
    throw new TaplineError(
      'configuration_invalid',
      `${path}: ${source.environment} has no password for ${url}`,
      { hint: 'set the environment variable, or name a file' },
    );
  }
}

function assertUnique(names: readonly string[], what: string, path: string): void {
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice === undefined) return;
  throw new TaplineError('configuration_invalid', `${path}: ${what} ${twice} is there twice`);
}
