import { checkLayerPath, unsafeEntry } from './layer-path.ts';
import type { TarEntry } from './tar-entry.ts';

const maxLinkTargetBytes = 4095;

/**
 * The entry with canonical paths, when it may be extracted: a file, directory, symlink, or hard link
 * within the layer. Throws `unsafe_tar_entry` naming the path and why.
 *
 * A symlink may point anywhere, since it is resolved inside the container's root. So who extracts
 * must never follow a symlink, neither for a directory of the path nor for the target of a hard
 * link: open each component with O_NOFOLLOW, or keep the tree in memory.
 */
export function assertSafeEntry(entry: TarEntry): TarEntry {
  const path = checkLayerPath(entry.path);
  const { kind, linkTarget = '' } = entry;
  if (path === '.' && kind !== 'directory') {
    throw unsafeEntry(entry.path, `the root cannot be a ${kind}`);
  }
  if (kind === 'character-device' || kind === 'block-device' || kind === 'fifo') {
    throw unsafeEntry(entry.path, `a ${kind} is not allowed in a layer`);
  }
  if (kind === 'hardlink') {
    return { ...entry, path, linkTarget: checkHardLinkTarget(path, linkTarget) };
  }
  if (kind === 'symlink') checkSymlinkTarget(path, linkTarget);
  return path === entry.path ? entry : { ...entry, path };
}

function checkSymlinkTarget(path: string, target: string): void {
  if (target === '') throw unsafeEntry(path, 'the link target is empty');
  if (target.includes('\0')) throw unsafeEntry(path, 'the link target has a NUL');
  if (new TextEncoder().encode(target).length > maxLinkTargetBytes) {
    throw unsafeEntry(path, `the link target is longer than ${maxLinkTargetBytes} bytes`);
  }
}

function checkHardLinkTarget(path: string, target: string): string {
  const shown = JSON.stringify(target.slice(0, 300));
  let canonical: string;
  try {
    canonical = checkLayerPath(target);
  } catch (cause) {
    throw Object.assign(unsafeEntry(path, `its hard link target ${shown} is outside the layer`), {
      cause,
    });
  }
  if (canonical === '.' || canonical === path) {
    throw unsafeEntry(path, `its hard link target ${shown} is itself or the root`);
  }
  return canonical;
}
