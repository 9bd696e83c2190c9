import { isTaplineError, TaplineError } from '@tapline/base';
import type { Command } from './command.ts';
import type { Console } from './console.ts';
import { exitCode, exitCodeOf } from './exit-code.ts';
import { formatCommandHelp, formatProgramHelp } from './format-help.ts';
import { formatError } from './format-error.ts';
import { parseCommandLine } from './parse-command-line.ts';

/** Of the Monitoring Plugins Guidelines. */
const pluginUnknown = 3;

/** A group of commands in help; each is loaded only when it is asked for. */
export interface CommandGroup {
  readonly title: string;
  readonly commands: Readonly<Record<string, () => Promise<Command>>>;
}

/** Finds the command that `argv` names, parses its flags, runs it and answers the exit code. */
export async function runProgram(
  groups: readonly CommandGroup[],
  argv: readonly string[],
  console: Console,
): Promise<number> {
  const json = argv.some(
    (word, at) =>
      /^(-o|--output=|-o=)json$/.test(word) ||
      (/^(-o|--output)$/.test(word) && argv[at + 1] === 'json'),
  );
  try {
    return await dispatch(groups, argv, console);
  } catch (error) {
    if (console.signal.aborted && !isTaplineError(error)) return exitCode.interrupted;
    console.note(
      formatError(error, { json, verbose: console.environment['TAPLINE_DEBUG'] === '1' }),
    );
    return exitCodeOf(error);
  }
}

async function dispatch(
  groups: readonly CommandGroup[],
  argv: readonly string[],
  console: Console,
): Promise<number> {
  const [first] = argv;
  if (first === undefined || ['help', '--help', '-h'].includes(first)) {
    const asked = argv.slice(1).join(' ');
    const found = asked === '' ? undefined : findCommand(groups, argv.slice(1));
    if (found !== undefined) {
      console.write(formatCommandHelp(found.name, await found.load()));
      return exitCode.ok;
    }
    console.write(formatProgramHelp(await loadAll(groups)));
    return first === undefined ? exitCode.usage : exitCode.ok;
  }
  const found =
    first === '--version' ? findCommand(groups, ['version']) : findCommand(groups, argv);
  if (found === undefined) throw unknownCommand(groups, argv);
  const command = await found.load();
  const beforePassThrough = found.rest.includes('--')
    ? found.rest.slice(0, found.rest.indexOf('--'))
    : found.rest;
  if (beforePassThrough.some((word) => word === '--help' || word === '-h')) {
    console.write(formatCommandHelp(found.name, command));
    return exitCode.ok;
  }
  if (command.plugin === true) return await runPlugin(command, found.rest, console);
  const parsed = parseCommandLine(command, found.rest, console.environment);
  return await command.run({ console, ...parsed });
}

/** Whoever reads a plugin reads its first line, and takes 2 for the thing that is checked. */
async function runPlugin(
  command: Command,
  words: readonly string[],
  console: Console,
): Promise<number> {
  try {
    const parsed = parseCommandLine(command, words, console.environment);
    return await command.run({ console, ...parsed });
  } catch (error) {
    if (console.signal.aborted) throw error;
    console.write(`UNKNOWN: ${formatError(error, { json: false, verbose: false }).trim()}\n`);
    return pluginUnknown;
  }
}

/** Commands of two words, such as `token create`, are listed under both. */
function findCommand(
  groups: readonly CommandGroup[],
  argv: readonly string[],
):
  | {
      readonly name: string;
      readonly load: () => Promise<Command>;
      readonly rest: readonly string[];
    }
  | undefined {
  for (const words of [2, 1]) {
    const name = argv.slice(0, words).join(' ');
    for (const group of groups) {
      const load = Object.hasOwn(group.commands, name) ? group.commands[name] : undefined;
      if (load !== undefined) return { name, load, rest: argv.slice(words) };
    }
  }
  return undefined;
}

/** Every command with its declaration, by group: for help, completion and the reference. */
export async function loadAll(
  groups: readonly CommandGroup[],
): Promise<
  readonly { readonly title: string; readonly commands: readonly (readonly [string, Command])[] }[]
> {
  return await Promise.all(
    groups.map(async ({ title, commands }) => ({
      title,
      commands: await Promise.all(
        Object.entries(commands).map(async ([name, load]) => [name, await load()] as const),
      ),
    })),
  );
}

function unknownCommand(groups: readonly CommandGroup[], argv: readonly string[]): TaplineError {
  const [first = ''] = argv;
  const names = groups.flatMap((group) => Object.keys(group.commands));
  const under = names.filter((name) => name.startsWith(`${first} `));
  const near =
    under.length > 0 ? under : names.filter((name) => name.startsWith(first.slice(0, 2)));
  return new TaplineError('usage', `there is no command ${JSON.stringify(first)}`, {
    hint: near.length > 0 ? `did you mean ${near.join(', ')}?` : 'see tapline --help',
  });
}
