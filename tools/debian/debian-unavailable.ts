import { errorMessage } from '@tapline/base';

import { type AptRootOptions, openAptRoot } from './apt-root.ts';
import { runProgram } from './run-program.ts';

const programs = ['apt-get', 'dpkg-deb', 'flock', 'patchelf', 'readelf', 'tar', 'gzip'];

/** Why packages of Debian cannot be had here, for the title of a skipped test; else undefined. */
export async function debianUnavailable(
  architecture: AptRootOptions['architecture'] = 'amd64',
): Promise<string | undefined> {
  try {
    for (const program of programs) await runProgram(program, ['--version']);
    await openAptRoot({ suite: 'bookworm', architecture });
    return undefined;
  } catch (error) {
    return errorMessage(error).split('\n')[0];
  }
}
