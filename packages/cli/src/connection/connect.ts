import { buildVersion, TaplineError } from '@tapline/base';
import type { HttpClient, KubeconfigContext } from '@tapline/client';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Console } from '../framework/console.ts';

export interface Connection {
  readonly client: HttpClient;
  readonly context: KubeconfigContext;
}

interface ConnectionFlagValues {
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
}

/** Where `tapline up` leaves the administrator's kubeconfig for this user. */
export function defaultKubeconfigPath(environment: Console['environment']): string {
  const folder =
    environment['XDG_CONFIG_HOME'] ?? join(environment['HOME'] ?? homedir(), '.config');
  return join(folder, 'tapline', 'kubeconfig');
}

/** Opens the connection that flags, environment and files name, in this order. */
export async function connect(flags: ConnectionFlagValues, console: Console): Promise<Connection> {
  const { createHttpClient, loadKubeconfig } = await import('@tapline/client');
  const path = kubeconfigPath(flags.kubeconfig, console.environment);
  const context = await loadKubeconfig(
    path,
    flags.context === undefined ? {} : { context: flags.context },
  );
  const client = createHttpClient({
    baseUrl: context.baseUrl,
    credentials: context.credentials,
    userAgent: `tapline/${buildVersion}`,
    clock: console.clock,
    ...(context.ca === undefined ? {} : { ca: context.ca }),
  });
  return { client, context };
}

/** The kubeconfig that is used, or an error that says how to get one. */
export function kubeconfigPath(
  flag: string | undefined,
  environment: Console['environment'],
): string {
  const candidates =
    flag === undefined
      ? [defaultKubeconfigPath(environment), environment['KUBECONFIG'] ?? '']
      : [flag];
  const found = candidates.find((path) => path !== '' && existsSync(path));
  if (found !== undefined) return found;
  throw new TaplineError(
    'no_control_plane',
    `no control plane is configured: ${candidates.filter(Boolean).join(' and ')} do not exist`,
    {
      hint: 'start one with `tapline up`, or name a kubeconfig with --kubeconfig or TAPLINE_KUBECONFIG',
    },
  );
}
