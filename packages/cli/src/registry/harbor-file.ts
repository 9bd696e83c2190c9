import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { TaplineError } from '@tapline/base';
import type { DesiredHarbor } from '@tapline/registry';
import { parse } from 'yaml';
import { z } from 'zod';

/** What a file says of a Harbor: where it is, how to log in there, and what is to be in it. */
export interface HarborFile {
  readonly server: string;
  readonly caPem?: string;
  readonly login: { readonly username: string; readonly password: string };
  readonly desired: DesiredHarbor;
}

const units = { kB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 } as const;
const size = z
  .string()
  .regex(/^[1-9]\d{0,5}(?:kB|MB|GB|TB)$/, 'write it as 500MB or 10GB')
  .transform((text) => Number.parseInt(text, 10) * units[text.slice(-2) as keyof typeof units]);
const rate = z
  .string()
  .regex(/^[1-9]\d{0,5}(?:kB|MB|GB)\/s$/, 'write it as 500kB/s or 10MB/s')
  .transform((text) => Number.parseInt(text, 10) * units[text.slice(-4, -2) as keyof typeof units]);

const login = z.strictObject({
  username: z.string().min(1),
  password: z.union(
    [
      z.strictObject({ file: z.string().min(1) }),
      z.strictObject({ environment: z.string().min(1) }),
    ],
    'a password is { file: … } or { environment: … }, never in the file itself',
  ),
});
const url = z.url({ protocol: /^https?$/, error: 'is no http or https URL' });
const name = z
  .string()
  .max(255)
  .regex(/^[a-z0-9]+(?:[._-][a-z0-9]+)*$/, 'is not of a-z, 0-9 and single . _ - between them');

const schema = z.strictObject({
  server: url,
  caFile: z.string().min(1).optional(),
  login,
  project: z.strictObject({
    name,
    public: z.boolean().default(false),
    storageLimit: size.optional(),
  }),
  robots: z
    .array(
      z.strictObject({
        name,
        may: z.enum(['pull', 'pull-and-push']).default('pull'),
        days: z.int().min(1).max(3650).optional(),
      }),
    )
    .default([]),
  registries: z
    .array(
      z.strictObject({
        name,
        type: z.string().min(1).default('docker-registry'),
        url,
        insecure: z.boolean().default(false),
        caFile: z.string().min(1).optional(),
        login: login.optional(),
      }),
    )
    .default([]),
  policies: z
    .array(
      z.strictObject({
        name,
        direction: z.enum(['push', 'pull']),
        registry: name,
        repositories: z.string().min(1),
        tags: z.string().min(1).optional(),
        labels: z.array(z.string().min(1)).min(1).optional(),
        destination: z.string().min(1),
        trigger: z
          .union([z.enum(['manual', 'on-push']), z.strictObject({ cron: z.string().min(1) })])
          .default('manual'),
        deletion: z.boolean().default(false),
        bandwidth: rate.optional(),
      }),
    )
    .default([]),
});

type Login = z.infer<typeof login>;
type Policy = z.infer<typeof schema>['policies'][number];

/** Reads the file and the secrets that it points to; paths in it are from the folder that it is in. */
export async function loadHarborFile(
  path: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<HarborFile> {
  const { server, caFile, login: account, project, ...rest } = parseFile(await read(path), path);
  assertSafe(server, path);
  for (const list of [rest.robots, rest.registries, rest.policies]) assertUnique(list, path);
  const folder = dirname(path);
  const registries = [];
  for (const { caFile: file, login: other, ...registry } of rest.registries) {
    registries.push({
      ...registry,
      ...(file !== undefined && { caPem: await read(resolve(folder, file)) }),
      ...(other !== undefined && { credential: await loginOf(other) }),
    });
  }
  return {
    server,
    ...(caFile !== undefined && { caPem: await read(resolve(folder, caFile)) }),
    login: await loginOf(account),
    desired: {
      project: {
        name: project.name,
        public: project.public,
        ...(project.storageLimit !== undefined && { storageLimit: project.storageLimit }),
      },
      robots: rest.robots.map(({ days, ...robot }) => ({
        ...robot,
        ...(days !== undefined && { days }),
      })),
      registries,
      policies: rest.policies.map(policyOf),
    },
  };

  async function loginOf({ username, password }: Login): Promise<HarborFile['login']> {
    if ('file' in password) {
      return { username, password: (await read(resolve(folder, password.file))).trimEnd() };
    }
    const text = environment[password.environment];
    if (text !== undefined && text !== '') return { username, password: text };
    throw new TaplineError(
      'configuration_invalid',
      `${path}: ${password.environment} has no password for ${username}`,
      { hint: 'set the environment variable, or name a file' },
    );
  }
}

function parseFile(text: string, path: string): z.infer<typeof schema> {
  let document: unknown;
  try {
    document = parse(text) ?? {};
  } catch (cause) {
    throw new TaplineError('configuration_invalid', `${path} is not YAML`, { cause });
  }
  const parsed = schema.safeParse(document);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue?.path.join('.') ?? '';
  throw new TaplineError(
    'configuration_invalid',
    `${path}: ${where === '' ? '' : `${where}: `}${issue?.message ?? 'is not valid'}`,
    { hint: 'see docs/guides/registry.md' },
  );
}

function policyOf({ tags, labels, trigger, bandwidth, ...policy }: Policy) {
  return {
    ...policy,
    ...(tags !== undefined && { tags }),
    ...(labels !== undefined && { labels }),
    trigger:
      typeof trigger === 'string' ? { kind: trigger } : { kind: 'scheduled' as const, ...trigger },
    // Harbor counts in KiB/s.
    ...(bandwidth !== undefined && {
      kilobytesPerSecond: Math.max(1, Math.floor(bandwidth / 1024)),
    }),
  };
}

/** Basic authentication sends the password itself: only TLS or this machine may carry it. */
function assertSafe(server: string, path: string): void {
  const { protocol, hostname } = new URL(server);
  if (protocol === 'https:' || /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname)) return;
  throw new TaplineError(
    'configuration_invalid',
    `${path}: server ${server} would get the password unencrypted`,
    { hint: 'use https; http is only for this machine' },
  );
}

function assertUnique(list: readonly { readonly name: string }[], path: string): void {
  const names = list.map((one) => one.name);
  const twice = names.find((one, at) => names.indexOf(one) !== at);
  if (twice === undefined) return;
  throw new TaplineError('configuration_invalid', `${path}: ${twice} is there twice`);
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new TaplineError('configuration_invalid', `${path} cannot be read`, { cause });
  }
}
