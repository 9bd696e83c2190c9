import { TaplineError } from '@tapline/base';

/** `team=design` and so on, as labels. */
export function parseLabels(terms: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    terms.map((term) => {
      const at = term.indexOf('=');
      if (at > 0) return [term.slice(0, at), term.slice(at + 1)];
      throw new TaplineError('usage', `label ${JSON.stringify(term)} is not KEY=VALUE`);
    }),
  );
}
