import { isRecord, TaplineError } from '@tapline/base';
import type { BottleTag } from '@tapline/brew';
import type { Catalogue } from './catalogue.ts';
import { formulaOfStruct } from './formula-of-struct.ts';

/**
 * Reads the verified payload of `internal/packages.TAG.jws.json` (Homebrew `generate-internal-api.rb`).
 * Throws `homebrew_answer_invalid`.
 */
export function parsePackages(payload: string, tag: BottleTag): Catalogue {
  const document = parse(payload);
  const formulae = isRecord(document) ? document['formulae'] : undefined;
  if (!isRecord(document) || !isRecord(formulae)) throw invalid(tag);
  const structs = new Map(Object.entries(formulae));
  const others = new Map(
    ['formula_renames', 'formula_aliases'].flatMap((key) => Object.entries(document[key] ?? {})),
  );
  return {
    names: [...structs.keys()],
    formula(name) {
      const known = structs.has(name) ? name : String(others.get(name) ?? name);
      const struct = structs.get(known);
      return isRecord(struct) ? formulaOfStruct(known, struct, tag) : undefined;
    },
  };
}

function parse(payload: string): unknown {
  try {
    return JSON.parse(payload);
  } catch {
    return undefined;
  }
}

function invalid(tag: BottleTag): TaplineError {
  return new TaplineError(
    'homebrew_answer_invalid',
    `the payload of internal/packages.${tag}.jws.json has no formulae`,
    { hint: 'check that HOMEBREW_API_DOMAIN names a mirror of the formula API' },
  );
}
