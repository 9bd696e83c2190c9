import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tokenKubeconfig } from '../ops/support/token-kubeconfig.ts';
import { runTapline, taplineMain } from './run-tapline.ts';

/** A program in that folder which is `tapline`, for an Icinga that is a user of its own; its path. */
export async function checkCommand(folder: string): Promise<string> {
  await chmod(folder, 0o711);
  const path = join(folder, 'tapline');
  await writeFile(path, `#!/bin/sh\nexec ${process.execPath} ${taplineMain} "$@"\n`);
  await chmod(path, 0o755);
  return path;
}

/** Writes a kubeconfig with which Icinga may look and no more. */
export async function checkerKubeconfig(admin: string, path: string): Promise<void> {
  const who = ['--user', 'icinga', '--group', 'tapline:checker', '--ttl', '1h'];
  const env = { TAPLINE_KUBECONFIG: admin };
  const token = await runTapline(['token', 'create', ...who], { env });
  await tokenKubeconfig(admin, { path, token: token.out.trim() });
  await chmod(path, 0o644);
}
