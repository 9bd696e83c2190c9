import type { Command } from './command.ts';
import { flagName } from './flag.ts';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/** What a word on the command line can be completed to. */
export function completions(
  commands: readonly (readonly [string, Command])[],
  words: readonly string[],
): readonly string[] {
  const current = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const matching = commands.find(
    ([name]) => before.slice(0, name.split(' ').length).join(' ') === name,
  );
  if (matching === undefined) {
    const depth = before.length;
    const next = commands
      .map(([name]) => name.split(' '))
      .filter((parts) => before.every((word, at) => parts[at] === word))
      .map((parts) => parts[depth])
      .filter((word) => word !== undefined);
    return [...new Set(next)].filter((word) => word.startsWith(current));
  }
  const [, command] = matching;
  const previous = before.at(-1) ?? '';
  for (const [key, flag] of Object.entries(command.flags)) {
    const names = [`--${flagName(key)}`, ...(flag.short === undefined ? [] : [`-${flag.short}`])];
    if (names.includes(previous) && flag.kind !== 'boolean') {
      return (flag.choices ?? []).filter((choice) => choice.startsWith(current));
    }
  }
  if (!current.startsWith('-')) return [];
  return Object.keys(command.flags)
    .map((key) => `--${flagName(key)}`)
    .filter((name) => name.startsWith(current));
}

/** The script that makes a shell ask `tapline completion --words …` for what fits. */
export function completionScript(shell: Shell): string {
  switch (shell) {
    case 'bash':
      return `# tapline completion for bash
_tapline() {
  local IFS=$'\\n'
  COMPREPLY=($(tapline completion words -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _tapline tapline
`;
    case 'zsh':
      return `#compdef tapline
_tapline() {
  local -a found
  found=(\${(f)"$(tapline completion words -- "\${(@)words[2,CURRENT]}" 2>/dev/null)"})
  compadd -a found
}
compdef _tapline tapline
`;
    case 'fish':
      return `# tapline completion for fish
complete -c tapline -f -a '(tapline completion words -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'
`;
  }
}
