import { TaplineError } from '@tapline/base';

export interface PackageReference {
  readonly formula: string;
  readonly version?: string;
}

/**
 * `jq`, `jq@1.7.1`, `openssl@3`, `openssl@3@3.3.1`. Homebrew's own versioned formulae carry an `@`
 * in their names (`openssl@3`, `python@3.12`), with at most two numbers behind it; anything longer
 * is a version of the formula before the last `@`. `--version` settles what this cannot tell apart.
 * `isDelivered` says whether a formula is delivered under its plain name: then `jq@1.6` is another
 * version of that.
 */
export async function resolvePackageReference(
  text: string,
  options: {
    readonly version?: string | undefined;
    readonly isDelivered: (formula: string) => Promise<boolean>;
  },
): Promise<PackageReference> {
  const reference = parsePackageReference(text, options.version);
  const at = reference.formula.lastIndexOf('@');
  if (at < 0 || reference.version !== undefined) return reference;
  const [formula, version] = [reference.formula.slice(0, at), reference.formula.slice(at + 1)];
  return (await options.isDelivered(formula)) ? { formula, version } : reference;
}

/** The same without asking anybody. */
export function parsePackageReference(text: string, version?: string): PackageReference {
  const at = text.lastIndexOf('@');
  const tail = text.slice(at + 1);
  const formulaTail = /^\d+(\.\d+)?$/.test(tail);
  if (at === 0 || text === '' || tail === '') {
    throw new TaplineError('usage', `${JSON.stringify(text)} is not FORMULA or FORMULA@VERSION`);
  }
  if (version !== undefined) return { formula: text, version };
  if (at < 0 || (formulaTail && !text.slice(0, at).includes('@'))) return { formula: text };
  return { formula: text.slice(0, at), version: tail };
}
