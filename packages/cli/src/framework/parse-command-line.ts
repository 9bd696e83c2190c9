import { TaplineError } from '@tapline/base';
import type { Command } from './command.ts';
import { type Flag, flagName, type Flags } from './flag.ts';

export interface ParsedCommandLine {
  readonly positionals: readonly string[];
  readonly flags: Readonly<Record<string, unknown>>;
  readonly passedThrough: readonly string[];
}

/**
 * Flags may stand before, between and after positionals, as `--name value`, `--name=value`, `-n
 * value` and `-nvalue`; short switches combine. What follows `--` is passed through where the
 * command takes it, and is positional elsewhere.
 */
export function parseCommandLine(
  command: Pick<Command, 'flags' | 'positionals' | 'passesThrough'>,
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): ParsedCommandLine {
  const byName = new Map<string, string>();
  for (const [key, flag] of Object.entries(command.flags)) {
    byName.set(`--${flagName(key)}`, key);
    if (flag.short !== undefined) byName.set(`-${flag.short}`, key);
  }
  const texts = new Map<string, string[]>();
  const positionals: string[] = [];
  let passedThrough: readonly string[] = [];
  const rest = [...argv];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '--') {
      if (command.passesThrough === undefined) positionals.push(...rest);
      else passedThrough = [...rest];
      break;
    }
    if (!word.startsWith('-') || word === '-') {
      positionals.push(word);
      continue;
    }
    const { name, attached } = splitWord(word, byName, command.flags);
    const key = byName.get(name);
    const flag = key === undefined ? undefined : command.flags[key];
    if (key === undefined || flag === undefined) throw unknownFlag(name, [...byName.keys()]);
    if (flag.kind === 'boolean' && attached?.kind === 'short') rest.unshift(`-${attached.text}`);
    const text = valueOf(flag, name, attached, rest);
    texts.set(key, [...(texts.get(key) ?? []), text]);
  }
  checkPositionals(command, positionals);
  return { positionals, flags: flagValues(command.flags, texts, environment), passedThrough };
}

interface Attached {
  readonly kind: 'equals' | 'short';
  readonly text: string;
}

function splitWord(
  word: string,
  byName: ReadonlyMap<string, string>,
  flags: Flags,
): { readonly name: string; readonly attached?: Attached } {
  if (word.startsWith('--')) {
    const equals = word.indexOf('=');
    if (equals < 0) return { name: word };
    return {
      name: word.slice(0, equals),
      attached: { kind: 'equals', text: word.slice(equals + 1) },
    };
  }
  const name = word.slice(0, 2);
  if (word.length === 2) return { name };
  const text = word.slice(2);
  const flag = flags[byName.get(name) ?? ''];
  const isValue = flag !== undefined && flag.kind !== 'boolean';
  return {
    name,
    attached: { kind: 'short', text: isValue && text.startsWith('=') ? text.slice(1) : text },
  };
}

function valueOf(
  flag: Flag<unknown>,
  name: string,
  attached: Attached | undefined,
  rest: string[],
): string {
  if (flag.kind === 'boolean') return attached?.kind === 'equals' ? attached.text : 'true';
  if (attached !== undefined) return attached.text;
  const next = rest.shift();
  if (next === undefined) {
    throw new TaplineError(
      'usage',
      `${name} needs a value: ${flag.valueName}, ${flag.description}`,
    );
  }
  return next;
}

function flagValues(
  flags: Flags,
  texts: ReadonlyMap<string, readonly string[]>,
  environment: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(flags).map(([key, flag]) => {
      const set = flag.environment === undefined ? undefined : environment[flag.environment];
      const given = texts.get(key) ?? (set === undefined || set === '' ? [] : [set]);
      return [key, flag.parse(given, flagName(key))];
    }),
  );
}

function checkPositionals(
  command: Pick<Command, 'positionals'>,
  positionals: readonly string[],
): void {
  const missing = command.positionals.find(
    (one, at) => one.required && positionals[at] === undefined,
  );
  if (missing !== undefined) {
    throw new TaplineError('usage', `${missing.name} is missing: ${missing.description}`);
  }
  const surplus = positionals[command.positionals.length];
  if (surplus !== undefined && command.positionals.at(-1)?.variadic !== true) {
    throw new TaplineError(
      'usage',
      `${JSON.stringify(surplus)} is one argument too many; at most ${command.positionals.length} are taken`,
    );
  }
}

function unknownFlag(name: string, known: readonly string[]): TaplineError {
  const near = known.filter((other) => other.startsWith(name.slice(0, 4)) && name.length > 2);
  return new TaplineError('usage', `there is no flag ${name}`, {
    hint: near.length > 0 ? `did you mean ${near.join(' or ')}?` : 'see --help',
  });
}
