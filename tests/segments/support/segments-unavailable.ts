import { haveProgram } from '@tapline/testing';

/** Why no segments can be tried with real packets here, for the title of a skipped suite. */
export function segmentsUnavailable(programs: readonly string[] = []): string | undefined {
  if (process.platform !== 'linux') return '(needs Linux)';
  if (process.getuid?.() !== 0) return '(needs root)';
  const needed = ['ip', 'bridge', 'tc', 'nft', 'nsenter', 'python3', ...programs];
  const missing = needed.filter((program) => !haveProgram(program));
  return missing.length > 0 ? `(needs ${missing.join(', ')})` : undefined;
}
