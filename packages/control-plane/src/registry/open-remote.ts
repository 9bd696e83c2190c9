import { readFile } from 'node:fs/promises';
import { type Clock, type Rng, TaplineError } from '@tapline/base';
import {
  createHttpTransport,
  createRegistryClient,
  type RegistryClient,
  type RegistryCredentials,
} from '@tapline/registry';
import type { RemoteConfiguration } from './registry-configuration.ts';

export interface OpenRemoteOptions {
  readonly clock: Clock;
  readonly rng: Rng;
  /** A connection that is silent for this long is cut. */
  readonly idleMs: number;
}

/** A client of another registry; its password is read anew for each login, so that it can be renewed. */
export async function openRemote(
  remote: RemoteConfiguration,
  options: OpenRemoteOptions,
): Promise<RegistryClient> {
  const { clock, rng, idleMs } = options;
  const { login, caFile, url } = remote;
  const ca = caFile === undefined ? undefined : await readText(caFile);
  const transport = createHttpTransport({ idleMs, ...(ca !== undefined && { tls: { ca } }) });
  const client = createRegistryClient({
    baseUrl: url,
    transport,
    attempts: 2,
    clock,
    rng,
    ...(login !== undefined && {
      async credentials(): Promise<RegistryCredentials> {
        const { username, password } = login;
        const secret =
          'file' in password ? (await readText(password.file)).trimEnd() : password.text;
        return { kind: 'basic', username, password: secret };
      },
    }),
  });
  return {
    ...client,
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await transport[Symbol.asyncDispose]();
    },
  };
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new TaplineError('configuration_invalid', `${path} cannot be read`, { cause });
  }
}
