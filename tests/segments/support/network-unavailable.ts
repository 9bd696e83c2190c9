/** Why no node can be built of namespaces here, for the title of a skipped suite; else undefined. */
export function networkUnavailable(
  haveProgram: (name: string) => boolean,
  programs: readonly string[] = ['ip', 'bridge', 'tc', 'nft'],
): string | undefined {
  if (process.platform !== 'linux') return '(needs Linux)';
  if (process.getuid?.() !== 0) return '(needs root)';
  const missing = programs.filter((program) => !haveProgram(program));
  return missing.length > 0 ? `(needs ${missing.join(', ')})` : undefined;
}
