import { isRecord, TaplineError } from '@tapline/base';
import { splitJsonArray } from './split-json-array.ts';

/** All formulae as Homebrew lists them. */
export interface Catalogue {
  readonly names: readonly string[];
  /** The document of a name, an alias or an old name, as the API has it. */
  formula(name: string): unknown;
}

/** Reads the verified payload of `formula.jws.json`. Throws `homebrew_answer_invalid`. */
export function parseCatalogue(payload: string): Catalogue {
  const bytes = Buffer.from(payload);
  const elements = splitJsonArray(bytes);
  if (elements === undefined) throw invalid({});
  const places = new Map<string, { readonly start: number; readonly end: number }>();
  const canonical = new Map<string, string>();
  const read = ({ start, end }: { readonly start: number; readonly end: number }): unknown => {
    try {
      return JSON.parse(bytes.toString('utf8', start, end));
    } catch (cause) {
      throw invalid({ cause });
    }
  };
  for (const place of elements) {
    const formula = read(place);
    if (!isRecord(formula) || typeof formula['name'] !== 'string') continue;
    const { name, aliases, oldnames } = formula;
    places.set(name, place);
    for (const other of [...stringsOf(aliases), ...stringsOf(oldnames)]) canonical.set(other, name);
  }
  return {
    names: [...places.keys()],
    formula(name) {
      const place = places.get(name) ?? places.get(canonical.get(name) ?? '');
      return place === undefined ? undefined : read(place);
    },
  };
}

function invalid(options: { readonly cause?: unknown }): TaplineError {
  return new TaplineError(
    'homebrew_answer_invalid',
    'the payload of formula.jws.json is not a list of formulae',
    { ...options, hint: 'check that HOMEBREW_API_DOMAIN names a mirror of the formula API' },
  );
}

function stringsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
