import { formatBytes, TaplineError } from '@tapline/base';

/** Free bytes of the file system that holds a path. */
export type FreeBytes = (path: string) => Promise<number>;

/** Throws `insufficient_storage` where `directory` has less than `neededBytes` free. */
export async function admitToDisk(
  freeBytes: FreeBytes,
  demand: { readonly directory: string; readonly neededBytes: number; readonly purpose: string },
): Promise<void> {
  const { directory, neededBytes, purpose } = demand;
  if (neededBytes === 0) return;
  const availableBytes = await freeBytes(directory);
  if (availableBytes >= neededBytes) return;
  throw new TaplineError(
    'insufficient_storage',
    `${purpose} needs ${neededBytes} bytes (${formatBytes(neededBytes)}), ${directory} has ${availableBytes} (${formatBytes(availableBytes)})`,
    {
      hint: 'free some space, or put the build cache on a larger disk',
      details: { neededBytes, availableBytes, directory },
    },
  );
}
