import type { Console } from './console.ts';
import type { Flags, FlagValues } from './flag.ts';

/** An argument that is no flag. */
export interface Positional {
  readonly name: string;
  readonly description: string;
  readonly required: boolean;
  /** Takes all that follow. */
  readonly variadic?: true;
  /** What completion offers: kinds, or the names of objects of a kind. */
  readonly complete?:
    | 'kinds'
    | 'objects'
    | 'devices'
    | 'deliveries'
    | 'installs'
    | 'files'
    | 'shells';
}

export interface Example {
  readonly command: string;
  readonly explains: string;
}

/** A command, declared once. */
export interface Command {
  readonly summary: string;
  readonly description?: string;
  readonly examples: readonly Example[];
  readonly positionals: readonly Positional[];
  readonly flags: Flags;
  /** What follows `--` goes to another program, untouched. */
  readonly passesThrough?: string;
  /** Ends as plugins of monitoring do: with 0 to 3, and 3, unknown, where anything fails. */
  readonly plugin?: true;
  /** Answers the exit code. */
  run(input: CommandInput): Promise<number>;
}

export interface CommandInput<F extends Flags = Flags> {
  readonly console: Console;
  readonly positionals: readonly string[];
  readonly flags: FlagValues<F>;
  readonly passedThrough: readonly string[];
}

/** Ties the types of `run` to the flags declared beside it. */
export function defineCommand<F extends Flags>(
  declaration: Omit<Command, 'flags' | 'run'> & {
    readonly flags: F;
    run(input: CommandInput<F>): Promise<number>;
  },
): Command {
  return declaration;
}
