import { TaplineError } from '@tapline/base';
import { formulaName } from './formula-schema.ts';

/** What `FORMULA[@VERSION]` may mean, in the order to try. */
export interface PackageRequest {
  /** The whole text as a name: `openssl@3` is a formula. */
  readonly name: string;
  /** The same read as a formula and one of its versions: `jq@1.7.1`. */
  readonly versioned?: { readonly name: string; readonly version: string };
}

/** Parses `FORMULA[@VERSION]`; the version is after the last `@`. Throws `formula_name_invalid`. */
export function parsePackageRequest(text: string): PackageRequest {
  const at = text.lastIndexOf('@');
  const name = at > 0 ? text.slice(0, at) : text;
  const version = at > 0 ? text.slice(at + 1) : undefined;
  const isValid =
    formulaName.safeParse(name).success &&
    (version === undefined || /^[A-Za-z0-9][A-Za-z0-9._+~-]{0,127}$/.test(version));
  if (!isValid) {
    throw new TaplineError(
      'formula_name_invalid',
      `${JSON.stringify(text.slice(0, 160))} is not FORMULA or FORMULA@VERSION`,
      { hint: 'write it as in jq, jq@1.7.1 or openssl@3' },
    );
  }
  return version === undefined ? { name: text } : { name: text, versioned: { name, version } };
}
