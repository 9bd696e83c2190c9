import { homedir } from 'node:os';
import { join } from 'node:path';

/** A folder of Tapline's under the user's cache (XDG Base Directory Specification). */
export function cacheFolder(name: string, env: NodeJS.ProcessEnv = process.env): string {
  const base = env['XDG_CACHE_HOME'] ?? '';
  // The specification: relative paths are invalid and to be ignored.
  return join(base.startsWith('/') ? base : join(homedir(), '.cache'), 'tapline', name);
}
