import { TaplineError } from '@tapline/base';

const maxLength = 256;
const maxAlternatives = 64;

/** Part of a pattern. */
type Token =
  | { readonly kind: 'character'; readonly character: string }
  /** `?`, `*` and `**`. */
  | { readonly kind: 'one' | 'segment' | 'anything' }
  /** `**` before a slash: none or several segments, each with its slash. */
  | { readonly kind: 'folders' };

/**
 * Whether a name fits a pattern: `*` is any part of one path segment, `**` of several, `?` one
 * character, `{a,b}` either. Anything else stands for itself. Takes time in proportion to both
 * lengths, whatever the pattern. Throws `pattern_invalid`.
 */
export function globPattern(pattern: string): (name: string) => boolean {
  if (pattern === '' || pattern.length > maxLength) {
    throw invalid(pattern, `is empty or longer than ${maxLength} characters`);
  }
  const alternatives = withoutBraces(pattern).map(tokensOf);
  return (name) => alternatives.some((tokens) => fits(tokens, name));
}

/** Whether a name fits one of the patterns, and none of those that begin with `!`. */
export function globPatterns(patterns: readonly string[]): (name: string) => boolean {
  const wanted = patterns.filter((one) => !one.startsWith('!')).map(globPattern);
  const unwanted = patterns
    .filter((one) => one.startsWith('!'))
    .map((one) => globPattern(one.slice(1)));
  return (name) =>
    (wanted.length === 0 || wanted.some((one) => one(name))) && !unwanted.some((one) => one(name));
}

/** Whether a pattern is a name: nothing in it stands for something else. */
export function isPlainName(pattern: string): boolean {
  return !/[*?{}!]/.test(pattern);
}

/** Each choice of what stands in braces. */
function withoutBraces(pattern: string): readonly string[] {
  const parts = pattern.split(/\{([^{}]*)\}/);
  if (parts.some((part, at) => at % 2 === 0 && /[{}]/.test(part))) {
    throw invalid(pattern, 'has a brace without its other one, or braces in braces');
  }
  let all: readonly string[] = [''];
  for (const [at, part] of parts.entries()) {
    const choices = at % 2 === 0 ? [part] : part.split(',');
    all = all.flatMap((before) => choices.map((choice) => before + choice));
    if (all.length > maxAlternatives) {
      throw invalid(pattern, `stands for more than ${maxAlternatives} patterns`);
    }
  }
  return all;
}

function tokensOf(pattern: string): readonly Token[] {
  return (pattern.match(/\*{2,}\/?|[\s\S]/g) ?? []).map((part): Token => {
    if (part === '?') return { kind: 'one' };
    if (part === '*') return { kind: 'segment' };
    if (/^\*+\/$/.test(part)) return { kind: 'folders' };
    return part.startsWith('**') ? { kind: 'anything' } : { kind: 'character', character: part };
  });
}

/** All positions in the pattern at once, so that nothing is tried twice. */
function fits(tokens: readonly Token[], name: string): boolean {
  // Odd positions are within the folders of the token at half of it.
  let at = closure(tokens, new Set([0]));
  for (const character of name.split('')) {
    const next = new Set<number>();
    for (const position of at) {
      const index = position >> 1;
      const token = tokens[index];
      if (token === undefined) continue;
      const stays = token.kind === 'anything' || (token.kind === 'segment' && character !== '/');
      const passes =
        token.kind === 'character'
          ? token.character === character
          : token.kind === 'one' && character !== '/';
      if (stays) next.add(position);
      if (passes) next.add(position + 2);
      if (token.kind === 'folders') next.add(character === '/' ? index * 2 : index * 2 + 1);
    }
    at = closure(tokens, next);
    if (at.size === 0) return false;
  }
  return at.has(tokens.length * 2);
}

/** What stars let through without a character. */
function closure(tokens: readonly Token[], from: ReadonlySet<number>): ReadonlySet<number> {
  const all = new Set(from);
  for (const position of all) {
    const kind = position % 2 === 0 ? tokens[position >> 1]?.kind : undefined;
    if (kind === 'segment' || kind === 'anything' || kind === 'folders') all.add(position + 2);
  }
  return all;
}

function invalid(pattern: string, why: string): TaplineError {
  return new TaplineError(
    'pattern_invalid',
    `pattern ${JSON.stringify(pattern.slice(0, 80))} ${why}`,
  );
}
