import { TaplineError } from '@tapline/base';
import type { KubeconfigContext } from '@tapline/client';
import type { RegistryClient } from '@tapline/registry';
import { readFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { connect, kubeconfigPath } from '../connection/connect.ts';
import type { Console } from '../framework/console.ts';
import { storedLogin } from './auth-file.ts';

export interface RegistryFlagValues {
  readonly authfile: string | undefined;
  readonly caFile: string | undefined;
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
}

/** A client of a registry by its host, or of the control plane's where there is none. */
export async function openRegistry(
  host: string | undefined,
  flags: RegistryFlagValues,
  console: Console,
): Promise<RegistryClient> {
  const own = await ownContext(host, flags, console);
  if (own !== undefined) return await openOwn(own, console);
  const name = host ?? '';
  const { createRegistryClient } = await import('@tapline/registry');
  const ca = flags.caFile === undefined ? undefined : await readCa(flags.caFile);
  const login = await storedLogin(name, { file: flags.authfile, environment: console.environment });
  return createRegistryClient({
    baseUrl: baseUrlOf(name, ca !== undefined),
    clock: console.clock,
    ...(ca !== undefined && { tls: { ca } }),
    ...(login !== undefined && { credentials: () => login }),
  });
}

/** The control plane's context where that is meant, also by its address. */
async function ownContext(
  host: string | undefined,
  flags: RegistryFlagValues,
  console: Console,
): Promise<KubeconfigContext | undefined> {
  if (host === undefined) return (await connect(flags, console)).context;
  const isConfigured = flags.kubeconfig !== undefined || hasKubeconfig(console);
  if (!isConfigured) return undefined;
  const { context } = await connect(flags, console);
  return new URL(context.baseUrl).host === host ? context : undefined;
}

function hasKubeconfig(console: Console): boolean {
  try {
    return existsSync(kubeconfigPath(undefined, console.environment));
  } catch {
    // None is there: other registries need none.
    return false;
  }
}

async function openOwn(context: KubeconfigContext, console: Console): Promise<RegistryClient> {
  const { createRegistryClient } = await import('@tapline/registry');
  const { credentials, ca } = context;
  return createRegistryClient({
    baseUrl: context.baseUrl,
    clock: console.clock,
    tls: {
      ...(ca !== undefined && { ca }),
      ...(credentials.kind === 'certificate' && {
        cert: credentials.certificate,
        key: credentials.key,
      }),
    },
    ...(credentials.kind === 'token' && { authorization: () => `Bearer ${credentials.token}` }),
  });
}

/** Registries on loopback are spoken to in the clear, unless there is an authority for them. */
function baseUrlOf(host: string, hasCa: boolean): string {
  if (host === 'docker.io') return 'https://registry-1.docker.io';
  const isLoopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/.test(host);
  return `${isLoopback && !hasCa ? 'http' : 'https'}://${host}`;
}

async function readCa(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new TaplineError('usage', `${path} cannot be read`, { cause });
  }
}
