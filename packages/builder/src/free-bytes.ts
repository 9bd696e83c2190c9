import { mkdir, statfs } from 'node:fs/promises';
import type { FreeBytes } from './disk-admission.ts';

/** What an unprivileged writer may still take, as the operating system says. */
export const freeBytes: FreeBytes = async (path) => {
  await mkdir(path, { recursive: true });
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
};
