import { TaplineError } from '@tapline/base';

/** The names of all formulae. */
export interface Catalogue {
  readonly names: readonly string[];
  /** Alias or old name → name. */
  readonly canonical: ReadonlyMap<string, string>;
}

/**
 * Reads `formula.jws.json`, a JWS with its payload as text (RFC 7797), or an absent one as empty.
 * Names lead to formulae that are fetched and checked on their own, so the signature is not what
 * they are trusted by.
 */
export function parseCatalogue(text: string | undefined): Catalogue {
  if (text === undefined) return { names: [], canonical: new Map() };
  const names: string[] = [];
  const canonical = new Map<string, string>();
  for (const formula of readPayload(text)) {
    if (typeof formula !== 'object' || formula === null || !('name' in formula)) continue;
    const { name } = formula;
    if (typeof name !== 'string') continue;
    names.push(name);
    const others = [
      ...('aliases' in formula ? stringsOf(formula.aliases) : []),
      ...('oldnames' in formula ? stringsOf(formula.oldnames) : []),
    ];
    for (const other of others) canonical.set(other, name);
  }
  return { names, canonical };
}

function readPayload(text: string): readonly unknown[] {
  try {
    const document: unknown = JSON.parse(text);
    const isJws = typeof document === 'object' && document !== null && 'payload' in document;
    const payload: unknown = isJws ? JSON.parse(String(document.payload)) : document;
    if (Array.isArray(payload)) return payload;
  } catch (cause) {
    throw invalid({ cause });
  }
  throw invalid({});
}

function invalid(options: { readonly cause?: unknown }): TaplineError {
  return new TaplineError(
    'homebrew_answer_invalid',
    'formula.jws.json is not a JWS with a list of formulae',
    { ...options, hint: 'check that HOMEBREW_API_DOMAIN names a mirror of the formula API' },
  );
}

function stringsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
