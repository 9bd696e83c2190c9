import { TaplineError } from '@tapline/base';
import { nearNames } from './near-names.ts';

/** The error for a name that is no formula's: what needs it, and which of `names` may be meant. */
export function formulaNotFound(
  name: string,
  options: { readonly path?: readonly string[]; readonly names?: Iterable<string> },
): TaplineError {
  const { path = [], names = [] } = options;
  const suggestions = nearNames(name, names);
  return new TaplineError('formula_not_found', `formula ${name} does not exist${neededBy(path)}`, {
    ...(suggestions.length > 0 && { hint: `did you mean ${suggestions.join(' or ')}?` }),
    details: { formula: name, path, suggestions },
  });
}

export function neededBy(path: readonly string[]): string {
  return path.length === 0 ? '' : `, needed by ${path.join(' → ')}`;
}
