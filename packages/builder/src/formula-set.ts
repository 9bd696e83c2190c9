import type { BottleTag, Formula } from '@tapline/brew';
import type { HomebrewApi } from './homebrew-api.ts';
import { mapConcurrently } from './map-concurrently.ts';

const requestsAtOnce = 8;

/** Formulae fetched so far for one bottle tag, by every name they were asked for. */
export class FormulaSet {
  readonly #api: HomebrewApi;
  readonly #tag: BottleTag;
  readonly #formulae = new Map<string, Formula | undefined>();

  constructor(api: HomebrewApi, tag: BottleTag) {
    this.#api = api;
    this.#tag = tag;
  }

  /** Fetches `names` and all they depend on, a generation at a time. */
  async load(
    names: readonly string[],
    options: { readonly signal?: AbortSignal | undefined },
  ): Promise<void> {
    let wanted = [...new Set(names)].filter((name) => !this.#formulae.has(name));
    while (wanted.length > 0) {
      const found = await mapConcurrently(
        wanted,
        { limit: requestsAtOnce, ...options },
        (name, signal) => this.#api.formula(name, this.#tag, { signal }),
      );
      for (const [index, name] of wanted.entries()) {
        const formula = found[index];
        this.#formulae.set(name, formula);
        if (formula !== undefined) this.#formulae.set(formula.name, formula);
      }
      const next = found.flatMap((formula) => formula?.dependencies ?? []);
      wanted = [...new Set(next)].filter((name) => !this.#formulae.has(name));
    }
  }

  readonly lookup = (name: string): Formula | undefined => this.#formulae.get(name);
}
