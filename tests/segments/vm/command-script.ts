import type { EncryptionCommand, LayoutCommand } from '@tapline/segments';

/** Shell that carries out commands in a node's namespace, each program's together and in order. */
export function commandScript(
  namespace: string,
  commands: readonly (EncryptionCommand | LayoutCommand)[],
): string {
  const scripts: string[] = [];
  let at = 0;
  while (at < commands.length) {
    const program = commands[at]?.program;
    const from = at;
    while (commands[at]?.program === program) at += 1;
    const lines = commands
      .slice(from, at)
      .map(({ line }) => line)
      .join('\n');
    const start =
      program === 'nft'
        ? `ip netns exec ${namespace} nft -f -`
        : `${program} -n ${namespace} -batch -`;
    scripts.push(`${start} <<'END' || exit 1\n${lines}\nEND`);
  }
  return scripts.join('\n');
}
