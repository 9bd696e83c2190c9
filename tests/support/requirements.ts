import { haveProgram } from '@tapline/testing';
import { debianUnavailable } from '../../tools/debian/debian-unavailable.ts';

/** Why no whole system can run here, for the title of a skipped suite; else undefined. */
export async function systemUnavailable(
  programs: readonly string[] = ['runc'],
): Promise<string | undefined> {
  if (process.platform !== 'linux') return '(needs Linux)';
  if (process.getuid?.() !== 0) return '(needs root)';
  const missing = programs.filter((program) => !haveProgram(program));
  if (missing.length > 0) return `(needs ${missing.join(', ')})`;
  const unavailable = await debianUnavailable();
  return unavailable === undefined ? undefined : `(needs Debian packages: ${unavailable})`;
}
