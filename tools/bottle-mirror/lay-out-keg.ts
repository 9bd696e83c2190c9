import {
  chmod,
  lstat,
  mkdir,
  readdir,
  readlink,
  rename,
  stat,
  symlink,
  unlink,
} from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';

import { kegPath, type KegPathOptions } from './keg-path.ts';

export interface KegLayout {
  /** Regular files, relative to the keg, sorted; each hard link counts. */
  readonly files: readonly string[];
  /** Newest modification time in the packages, in seconds: their source's, so reproducible. */
  readonly modifiedTime: number;
}

/** Moves an unpacked Debian tree into the shape of a keg. Hard links stay hard links. */
export async function layOutKeg(
  unpacked: string,
  keg: string,
  options: KegPathOptions,
): Promise<KegLayout> {
  const files: string[] = [];
  const links: string[] = [];
  let modifiedTime = 0;
  for (const source of await walk(unpacked)) {
    const status = await lstat(join(unpacked, source));
    const target = kegPath(source, options);
    if (target === undefined) continue;
    const path = join(keg, target);
    if (status.isSymbolicLink()) {
      const link = kegLink(source, target, await readlink(join(unpacked, source)), options);
      if (link === undefined) continue;
      await mkdir(dirname(path), { recursive: true });
      await symlink(link, path);
      links.push(path);
    } else {
      await mkdir(dirname(path), { recursive: true });
      await rename(join(unpacked, source), path);
      files.push(target);
      modifiedTime = Math.max(modifiedTime, Math.floor(status.mtimeMs / 1000));
    }
  }
  await removeDangling(links);
  return { files: files.toSorted(), modifiedTime };
}

/** Gives files the modes that Homebrew's cleaner gives them, folders 0755. */
export async function setKegModes(keg: string): Promise<void> {
  for (const path of await walk(keg, true)) {
    const status = await lstat(join(keg, path));
    if (status.isDirectory()) await chmod(join(keg, path), 0o755);
    if (!status.isFile()) continue;
    const executable = (status.mode & 0o111) !== 0;
    const cleaned = /^(bin|sbin|lib)\//.test(path);
    const mode = executable ? 0o755 : 0o644;
    await chmod(join(keg, path), cleaned ? mode & 0o555 : mode);
  }
}

/** Paths below `folder`, relative to it; folders only when asked for, links never followed. */
export async function walk(folder: string, withFolders = false): Promise<readonly string[]> {
  const found: string[] = [];
  async function visit(path: string): Promise<void> {
    for (const entry of await readdir(join(folder, path), { withFileTypes: true })) {
      const child = join(path, entry.name);
      if (withFolders || !entry.isDirectory()) found.push(child);
      if (entry.isDirectory()) await visit(child);
    }
  }
  await visit('');
  return found.toSorted();
}

/** The target a symbolic link has inside the keg; undefined when it leaves the keg. */
function kegLink(
  source: string,
  target: string,
  content: string,
  options: KegPathOptions,
): string | undefined {
  const absolute = content.startsWith('/') ? content : join('/', dirname(source), content);
  const inKeg = kegPath(relative('/', absolute), options);
  // Links between /lib64 and /lib/<triplet> become links to themselves.
  if (inKeg === undefined || inKeg === target) return undefined;
  return relative(dirname(target), inKeg);
}

/** Links into packages the keg does not carry lead nowhere; removing one may strand another. */
async function removeDangling(links: readonly string[]): Promise<void> {
  let remaining = links;
  for (;;) {
    const kept: string[] = [];
    for (const link of remaining) {
      if (await exists(link)) kept.push(link);
      else await unlink(link);
    }
    if (kept.length === remaining.length) return;
    remaining = kept;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ELOOP') return false;
    throw error;
  }
}
