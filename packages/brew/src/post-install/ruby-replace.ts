import { StepFailure } from './step-failure.ts';

export interface RubyReplacement {
  readonly before: string;
  readonly after: string;
  readonly regexp: boolean;
  /** Ruby's: 1 ignores case, 2 allows spaces and comments, 4 lets a dot match line ends. */
  readonly options: number;
  readonly all: boolean;
}

/**
 * `String#gsub` and `#sub` of Ruby on text of single bytes. Throws {@link StepFailure} for expressions
 * that mean something else in JavaScript, or nothing.
 */
export function rubyReplace(text: string, replacement: RubyReplacement): string {
  const { all, after } = replacement;
  const expression = expressionOf(replacement);
  let count = 0;
  const result = text.replace(expression, (...match: readonly unknown[]) => {
    if (count > 0 && !all) return String(match[0]);
    count += 1;
    const named = match.at(-1);
    const groups = typeof named === 'object' && named !== null ? named : {};
    return substitute(after, match, groups as Readonly<Record<string, string>>);
  });
  return result;
}

function expressionOf({ before, regexp, options }: RubyReplacement): RegExp {
  if (!regexp) return new RegExp(before.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'), 'g');
  const foreign = /\\[GRXKpPZ]|\(\?[#>~(]|\[\[:|&&|[*+?}]\+|\\g</.exec(before)?.[0];
  if (foreign !== undefined || (options & 2) !== 0) {
    throw new StepFailure(`expression /${before}/ has ${foreign ?? 'free spacing'}`);
  }
  const source = before
    .replaceAll('\\A', '(?<![\\s\\S])')
    .replaceAll('\\z', '(?![\\s\\S])')
    .replaceAll('\\h', '[0-9a-fA-F]');
  try {
    // In Ruby ^ and $ are the ends of lines.
    return new RegExp(source, `gm${options & 1 ? 'i' : ''}${options & 4 ? 's' : ''}`);
  } catch {
    throw new StepFailure(`expression /${before}/ is not understood`);
  }
}

function substitute(
  after: string,
  match: readonly unknown[],
  groups: Readonly<Record<string, string>>,
): string {
  return after.replaceAll(/\\(\d|k<(\w+)>|\\|&)/g, (_, code: string, name?: string) => {
    if (code === '\\') return '\\';
    const found = name === undefined ? match[code === '&' ? 0 : Number(code)] : groups[name];
    return typeof found === 'string' ? found : '';
  });
}
