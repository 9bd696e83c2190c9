import { errorMessage, TaplineError } from '@tapline/base';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import type { Credentials } from './http-client.ts';

/** What a kubeconfig's context says about reaching an API. */
export interface KubeconfigContext {
  readonly baseUrl: string;
  readonly ca?: string;
  readonly credentials: Credentials;
  readonly namespace: string;
}

const named = <T extends z.ZodType>(key: string, value: T) =>
  z.array(z.object({ name: z.string(), [key]: value })).default([]);

const cluster = z.object({
  server: z.url(),
  'certificate-authority': z.string().optional(),
  'certificate-authority-data': z.string().optional(),
});

const user = z.object({
  token: z.string().optional(),
  tokenFile: z.string().optional(),
  'client-certificate': z.string().optional(),
  'client-certificate-data': z.string().optional(),
  'client-key': z.string().optional(),
  'client-key-data': z.string().optional(),
});

const context = z.object({
  cluster: z.string(),
  user: z.string().optional(),
  namespace: z.string().optional(),
});

const schema = z.object({
  'current-context': z.string().optional(),
  clusters: named('cluster', cluster),
  users: named('user', user.nullable()),
  contexts: named('context', context),
});

/** Reads a context (the current one where no name is given) from a kubeconfig file. */
export async function loadKubeconfig(
  path: string,
  options: { readonly context?: string } = {},
): Promise<KubeconfigContext> {
  const file = await parseFile(path);
  const name = options.context ?? file['current-context'];
  const chosen = find(file.contexts, { name, key: 'context' }, path) as z.infer<typeof context>;
  const at = find(file.clusters, { name: chosen.cluster, key: 'cluster' }, path) as z.infer<
    typeof cluster
  >;
  const who =
    chosen.user === undefined
      ? undefined
      : (find(file.users, { name: chosen.user, key: 'user' }, path) as z.infer<typeof user> | null);
  const read = material(path);
  const ca = await read(at['certificate-authority-data'], at['certificate-authority']);
  return {
    baseUrl: at.server,
    namespace: chosen.namespace ?? 'default',
    credentials: await credentialsOf(who ?? {}, read),
    ...(ca === undefined ? {} : { ca }),
  };
}

type ReadMaterial = (
  data: string | undefined,
  file: string | undefined,
) => Promise<string | undefined>;

/** Reads what stands in the file in base64, or in a file of its own beside it. */
function material(path: string): ReadMaterial {
  return async (data, file) => {
    if (data !== undefined) return Buffer.from(data, 'base64').toString('utf8');
    return file === undefined ? undefined : await readText(resolve(dirname(path), file));
  };
}

async function credentialsOf(
  given: z.infer<typeof user>,
  read: ReadMaterial,
): Promise<Credentials> {
  const certificate = await read(given['client-certificate-data'], given['client-certificate']);
  const key = await read(given['client-key-data'], given['client-key']);
  if (certificate !== undefined && key !== undefined)
    return { kind: 'certificate', certificate, key };
  const token = given.token ?? (await read(undefined, given.tokenFile))?.trim();
  return token === undefined ? { kind: 'none' } : { kind: 'token', token };
}

async function parseFile(path: string): Promise<z.infer<typeof schema>> {
  const text = await readText(path);
  const parsed = schema.safeParse(await parseText(text, path));
  if (parsed.success) return parsed.data;
  throw new TaplineError(
    'kubeconfig_invalid',
    `${path} is no kubeconfig: ${z.prettifyError(parsed.error)}`,
  );
}

/** What Tapline writes is JSON, which is YAML and much quicker to read. */
async function parseText(text: string, path: string): Promise<unknown> {
  try {
    if (text.trimStart().startsWith('{')) return JSON.parse(text);
    return (await import('yaml')).parse(text);
  } catch (cause) {
    throw new TaplineError('kubeconfig_invalid', `${path} is no YAML`, { cause });
  }
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new TaplineError('kubeconfig_invalid', `${path} cannot be read: ${errorMessage(error)}`);
  }
}

function find(
  list: readonly Readonly<Record<string, unknown>>[],
  { name, key }: { readonly name: string | undefined; readonly key: string },
  path: string,
): unknown {
  const found = list.find((one) => one['name'] === name);
  if (found !== undefined) return found[key];
  const names = list.map((one) => String(one['name']));
  throw new TaplineError(
    'kubeconfig_invalid',
    `${path} has no ${key} ${JSON.stringify(name ?? '')}`,
    {
      hint: names.length === 0 ? `it has no ${key} at all` : `it has ${names.join(', ')}`,
    },
  );
}
