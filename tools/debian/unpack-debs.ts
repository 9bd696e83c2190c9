import { runProgram } from './run-program.ts';

/** Unpacks the files of .deb packages over each other; modes, links and times are kept. */
export async function unpackDebs(
  debs: readonly string[],
  folder: string,
  signal?: AbortSignal,
): Promise<void> {
  for (const deb of debs) {
    await runProgram('dpkg-deb', ['-x', deb, folder], signal === undefined ? {} : { signal });
  }
}
