import { TaplineError } from '@tapline/base';
import { isLabelValue } from '@tapline/resources';

/** `team=design` and so on, as labels. */
export function parseLabels(terms: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    terms.map((term) => {
      const at = term.indexOf('=');
      const value = term.slice(at + 1);
      if (at <= 0) {
        throw new TaplineError('usage', `label ${JSON.stringify(term)} is not KEY=VALUE`);
      }
      if (!isLabelValue(value)) {
        throw new TaplineError('usage', `label value ${JSON.stringify(value)} is not valid`, {
          hint: 'up to 63 letters, digits, -, _ and ., beginning and ending with a letter or digit',
        });
      }
      return [term.slice(0, at), value];
    }),
  );
}
