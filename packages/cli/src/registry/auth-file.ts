import { isRecord, isSystemError, TaplineError } from '@tapline/base';
import type { RegistryCredentials } from '@tapline/registry';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Console } from '../framework/console.ts';

/** The login that `podman login`, `skopeo login` or `docker login` left for a registry. */
export async function storedLogin(
  host: string,
  options: { readonly file: string | undefined; readonly environment: Console['environment'] },
): Promise<RegistryCredentials | undefined> {
  for (const path of candidates(options)) {
    const text = await readText(path, options.file !== undefined);
    const found = text === undefined ? undefined : loginIn(text, { host, path });
    if (found !== undefined) return found;
  }
  return undefined;
}

function candidates({
  file,
  environment,
}: {
  readonly file: string | undefined;
  readonly environment: Console['environment'];
}): readonly string[] {
  if (file !== undefined) return [file];
  const runtime = environment['XDG_RUNTIME_DIR'];
  const home = environment['HOME'] ?? homedir();
  return [
    ...(runtime === undefined ? [] : [join(runtime, 'containers', 'auth.json')]),
    join(environment['XDG_CONFIG_HOME'] ?? join(home, '.config'), 'containers', 'auth.json'),
    join(environment['DOCKER_CONFIG'] ?? join(home, '.docker'), 'config.json'),
  ];
}

async function readText(path: string, mustExist: boolean): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    if (!mustExist && isSystemError(cause, 'ENOENT')) return undefined;
    throw new TaplineError('usage', `${path} cannot be read`, { cause });
  }
}

/** The entry of a host, as docker and podman write it: base64 of user name and password. */
export function loginIn(
  text: string,
  { host, path }: { readonly host: string; readonly path: string },
): RegistryCredentials | undefined {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw new TaplineError('usage', `${path} is not JSON`, { cause });
  }
  const all = isRecord(document) ? document['auths'] : undefined;
  if (!isRecord(all)) return undefined;
  const names = host === 'docker.io' ? [host, 'https://index.docker.io/v1/'] : [host];
  const entry = names.map((name) => all[name]).find(isRecord);
  const auth = entry?.['auth'];
  if (typeof auth !== 'string' || auth === '') return undefined;
  const pair = Buffer.from(auth, 'base64').toString();
  const colon = pair.indexOf(':');
  if (colon < 0) return undefined;
  return { kind: 'basic', username: pair.slice(0, colon), password: pair.slice(colon + 1) };
}
