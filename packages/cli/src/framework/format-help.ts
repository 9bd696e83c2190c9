import type { Command } from './command.ts';
import { type Flag, flagName } from './flag.ts';

/** A command's usage line: `tapline deploy FORMULA[@VERSION] [flags]`. */
export function usageLine(name: string, command: Command): string {
  const positionals = command.positionals.map((one) => {
    const text = one.variadic === true ? `${one.name}...` : one.name;
    return one.required ? text : `[${text}]`;
  });
  const through = command.passesThrough === undefined ? [] : [`-- ${command.passesThrough}`];
  return ['tapline', name, ...positionals, '[flags]', ...through].join(' ');
}

/** How a flag is written: `-o, --output FORMAT`. */
export function flagSyntax(key: string, flag: Flag<unknown>): string {
  const long = `--${flagName(key)}${flag.valueName === '' ? '' : ` ${flag.valueName}`}`;
  return flag.short === undefined ? `    ${long}` : `-${flag.short}, ${long}`;
}

/** What a flag means, with its choices, default and environment variable. */
export function flagMeaning(flag: Flag<unknown>): string {
  const notes = [
    ...(flag.choices === undefined ? [] : [`one of ${flag.choices.join(', ')}`]),
    ...(flag.defaultText === undefined ? [] : [`default ${flag.defaultText}`]),
    ...(flag.environment === undefined ? [] : [`environment ${flag.environment}`]),
    ...(flag.required ? ['required'] : []),
  ];
  return notes.length === 0 ? flag.description : `${flag.description} (${notes.join('; ')})`;
}

/** The help of one command. */
export function formatCommandHelp(name: string, command: Command): string {
  const sections = [
    `${command.summary}\n`,
    ...(command.description === undefined ? [] : [`${command.description}\n`]),
    `Usage:\n  ${usageLine(name, command)}\n`,
    section(
      'Arguments',
      command.positionals.map((one) => [one.name, one.description]),
    ),
    section(
      'Examples',
      command.examples.map((one) => [one.command, one.explains]),
    ),
    section(
      'Flags',
      Object.entries(command.flags).map(([key, flag]) => [
        flagSyntax(key, flag),
        flagMeaning(flag),
      ]),
    ),
  ];
  return sections.filter((text) => text !== '').join('\n');
}

/** The help of the whole program. */
export function formatProgramHelp(
  groups: readonly {
    readonly title: string;
    readonly commands: readonly (readonly [string, Command])[];
  }[],
): string {
  return [
    'tapline delivers command-line tools to devices on isolated networks, in milliseconds.\n',
    'Usage:\n  tapline COMMAND [flags]\n',
    ...groups.map((group) =>
      section(
        group.title,
        group.commands.map(([name, command]) => [name, command.summary]),
      ),
    ),
    '`tapline COMMAND --help` shows flags and examples; `tapline completion --help` sets up the shell.\n',
  ].join('\n');
}

function section(title: string, rows: readonly (readonly [string, string])[]): string {
  if (rows.length === 0) return '';
  const width = Math.min(34, Math.max(...rows.map(([left]) => left.length)));
  const lines = rows.map(([left, right]) =>
    left.length > width
      ? `  ${left}\n  ${' '.repeat(width)}  ${right}`
      : `  ${left.padEnd(width)}  ${right}`,
  );
  return `${title}:\n${lines.join('\n')}\n`;
}
