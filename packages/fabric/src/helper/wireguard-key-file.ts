import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isSystemError, TaplineError } from '@tapline/base';
import type { WireguardKey } from '../fabric-helper.ts';
import { runProgram } from './run-program.ts';

/** The node's key, made here and readable by nobody else. Only the public one is told. */
export async function wireguardKeyFile(path: string): Promise<WireguardKey> {
  const secret = (await readKey(path)) ?? (await makeKey(path));
  const publicKey = await wg('pubkey', secret);
  return { publicKey, madeAt: (await stat(path)).mtimeMs };
}

async function readKey(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
}

async function makeKey(path: string): Promise<string> {
  const secret = await wg('genkey', '');
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  // Beside its place and then renamed: half a key is none.
  const partial = `${path}.${process.pid}`;
  await writeFile(partial, `${secret}\n`, { mode: 0o600, flush: true });
  await rename(partial, path);
  return secret;
}

async function wg(command: 'genkey' | 'pubkey', stdin: string): Promise<string> {
  const { code, stdout } = await runProgram(['wg', command], { stdin });
  if (code === 0) return stdout.trim();
  throw new TaplineError('wireguard_missing', `wg ${command} failed with exit code ${code}`, {
    hint: 'install wireguard-tools',
  });
}
