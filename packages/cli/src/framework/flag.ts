import { TaplineError } from '@tapline/base';

/** A flag, declared once; parsing, help, completion and the reference derive from it. */
export interface Flag<T> {
  readonly kind: 'boolean' | 'value' | 'list';
  readonly short?: string;
  readonly description: string;
  /** What stands for the value in help, such as `DIR`. */
  readonly valueName: string;
  readonly choices?: readonly string[];
  /** What help shows as the default. */
  readonly defaultText?: string;
  /** An environment variable that sets it where the flag is absent. */
  readonly environment?: string;
  readonly required: boolean;
  /** The typed value of the texts given, in order; none given is the default. */
  parse(texts: readonly string[], name: string): T;
}

export type Flags = Readonly<Record<string, Flag<unknown>>>;

export type FlagValues<F extends Flags> = {
  readonly [K in keyof F]: F[K] extends Flag<infer T> ? T : never;
};

interface CommonOptions {
  readonly short?: string;
  readonly valueName?: string;
  readonly environment?: string;
}

function common(kind: Flag<unknown>['kind'], description: string, options: CommonOptions) {
  return {
    kind,
    description,
    required: false,
    valueName: options.valueName ?? '',
    ...(options.short === undefined ? {} : { short: options.short }),
    ...(options.environment === undefined ? {} : { environment: options.environment }),
  };
}

export function booleanFlag(description: string, options: CommonOptions = {}): Flag<boolean> {
  return {
    ...common('boolean', description, options),
    parse(texts, name) {
      const text = texts.at(-1);
      if (text === undefined || text === 'false' || text === '0') return false;
      if (text === 'true' || text === '1') return true;
      throw new TaplineError(
        'usage',
        `--${name} is a switch; ${JSON.stringify(text)} is not true or false`,
      );
    },
  };
}

/** A text; absent it is undefined. */
export function textFlag(
  description: string,
  options: CommonOptions & { readonly choices?: readonly string[] } = {},
): Flag<string | undefined> {
  return {
    ...common('value', description, { valueName: 'TEXT', ...options }),
    ...(options.choices === undefined ? {} : { choices: options.choices }),
    parse: (texts, name) => chosen(texts.at(-1), name, options.choices),
  };
}

/** A text with a default. */
export function textFlagWithDefault(
  description: string,
  options: CommonOptions & { readonly choices?: readonly string[]; readonly default: string },
): Flag<string> {
  return {
    ...common('value', description, { valueName: 'TEXT', ...options }),
    ...(options.choices === undefined ? {} : { choices: options.choices }),
    defaultText: options.default,
    parse: (texts, name) => chosen(texts.at(-1), name, options.choices) ?? options.default,
  };
}

/** A text without which the command does not run. */
export function requiredTextFlag(description: string, options: CommonOptions = {}): Flag<string> {
  return {
    ...common('value', description, { valueName: 'TEXT', ...options }),
    required: true,
    parse(texts, name) {
      const text = texts.at(-1);
      if (text !== undefined) return text;
      throw new TaplineError('usage', `--${name} is missing: ${description}`);
    },
  };
}

/** Texts: the flag given several times, or commas between them. */
export function listFlag(
  description: string,
  options: CommonOptions = {},
): Flag<readonly string[]> {
  return {
    ...common('list', description, { valueName: 'TEXT', ...options }),
    parse: (texts) => texts.flatMap((text) => text.split(',')).filter((text) => text !== ''),
  };
}

export function integerFlag(
  description: string,
  options: CommonOptions & { readonly min: number; readonly max: number; readonly default: number },
): Flag<number> {
  return {
    ...common('value', description, { valueName: 'N', ...options }),
    defaultText: String(options.default),
    parse(texts, name) {
      const text = texts.at(-1);
      if (text === undefined) return options.default;
      const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
      if (value >= options.min && value <= options.max) return value;
      throw new TaplineError(
        'usage',
        `--${name} is ${JSON.stringify(text)}; it must be a whole number from ${options.min} to ${options.max}`,
      );
    },
  };
}

const unitMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** A duration such as `500ms`, `30s`, `10m`, `1h30m` or `7d`, in milliseconds. */
export function durationFlag(
  description: string,
  options: CommonOptions & { readonly default: string },
): Flag<number> {
  return {
    ...common('value', description, { valueName: 'DURATION', ...options }),
    defaultText: options.default,
    parse(texts, name) {
      const text = texts.at(-1) ?? options.default;
      if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(text)) {
        throw new TaplineError(
          'usage',
          `--${name} is ${JSON.stringify(text)}; it must be a duration`,
          {
            hint: 'write it as 500ms, 30s, 10m, 1h30m or 7d',
          },
        );
      }
      return [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)].reduce(
        (sum, [, amount, unit]) => sum + Number(amount) * (unitMs[unit ?? ''] ?? 0),
        0,
      );
    },
  };
}

function chosen(
  text: string | undefined,
  name: string,
  choices: readonly string[] | undefined,
): string | undefined {
  if (text === undefined || choices === undefined || choices.includes(text)) return text;
  throw new TaplineError(
    'usage',
    `--${name} is ${JSON.stringify(text)}; it must be one of ${choices.join(', ')}`,
  );
}

/** `progressDeadline` → `progress-deadline`. */
export function flagName(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
