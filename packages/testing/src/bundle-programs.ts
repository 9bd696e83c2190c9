import { rolldown } from 'rolldown';
import { type TemporaryFolder, temporaryFolder } from './temporary-folder.ts';

/**
 * Makes `<name>.js` in a folder of each source file, as `./tapline` is made: a program that a test
 * begins dozens of times then starts in a quarter of a second instead of stripping the types of all
 * it imports each time. Its threads are inputs as well, by the names that the bundle has for them.
 */
export async function bundlePrograms(
  input: Readonly<Record<string, string>>,
): Promise<TemporaryFolder> {
  const folder = await temporaryFolder();
  try {
    await using bundle = await rolldown({
      input: { ...input },
      platform: 'node',
      logLevel: 'warn',
    });
    await bundle.write({ dir: folder.path, format: 'esm', chunkFileNames: '[name]-[hash].js' });
    return folder;
  } catch (error) {
    await folder[Symbol.asyncDispose]();
    throw error;
  }
}
