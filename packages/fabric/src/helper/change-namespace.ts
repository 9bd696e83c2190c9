import { statfsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { isSystemError, TaplineError } from '@tapline/base';
import type { RunProgram } from './run-program.ts';

const folder = '/run/netns';
/** NSFS_MAGIC in linux/magic.h: it is a namespace, and no file that was left where one was. */
const namespaceType = 0x6e736673;

/**
 * Makes a workload's network namespace, or removes it: only ones of ours, whose names say so. Doing it
 * again changes nothing. Throws `request_invalid`, `namespace_failed`.
 */
export async function changeNamespace(
  { verb, name }: Readonly<Record<string, unknown>>,
  run: RunProgram,
): Promise<string> {
  if (typeof name !== 'string' || !/^tapline-[0-9a-f]{16}$/.test(name)) {
    throw new TaplineError(
      'request_invalid',
      'a namespace of a workload is tapline- and 16 digits',
    );
  }
  if (verb !== 'add' && verb !== 'delete') {
    throw new TaplineError('request_invalid', 'a namespace is added or deleted');
  }
  const path = `${folder}/${name}`;
  if (isNamespace(path) === (verb === 'add')) return path;
  if (verb === 'add') await rm(path, { force: true });
  const lines = verb === 'add' ? [`netns add ${name}`] : [`netns delete ${name}`];
  const { code, stderr } = await run(['ip', '-batch', '-'], { stdin: `${lines.join('\n')}\n` });
  if (code !== 0 && isNamespace(path) !== (verb === 'add')) {
    throw new TaplineError('namespace_failed', `ip netns ${verb} ${name}: ${stderr.trim()}`);
  }
  if (verb === 'add') await run(['ip', '-n', name, 'link', 'set', 'lo', 'up']);
  return path;
}

export function isNamespace(path: string): boolean {
  try {
    return statfsSync(path).type === namespaceType;
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return false;
    throw error;
  }
}
