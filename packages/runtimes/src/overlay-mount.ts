import { execFile } from 'node:child_process';
import { statfs } from 'node:fs/promises';
import { promisify } from 'node:util';

const runFile = promisify(execFile);
/** linux/magic.h OVERLAYFS_SUPER_MAGIC. */
const overlayMagic = 0x794c7630;
/** mount(2) takes one page of options. */
const maxOptionBytes = 4000;

/** The option naming the lower folders, or undefined where it is too long for the kernel. */
export function overlayOptions(lowerTopFirst: readonly string[]): string | undefined {
  const options = `ro,lowerdir=${lowerTopFirst.join(':')}`;
  return options.length > maxOptionBytes ? undefined : options;
}

/** Mounts a read-only overlay; relative folders start at `cwd`. */
export async function mountOverlay(
  target: string,
  { options, cwd }: { readonly options: string; readonly cwd: string },
): Promise<void> {
  await runFile('mount', ['-t', 'overlay', 'overlay', '-o', options, target], { cwd });
}

export async function isOverlay(path: string): Promise<boolean> {
  return (await statfs(path)).type === overlayMagic;
}

/** Takes the mount out of sight at once; what still runs there keeps it until it ends. */
export async function unmountOverlay(path: string): Promise<void> {
  if (await isOverlay(path)) await runFile('umount', ['--lazy', path]);
}
