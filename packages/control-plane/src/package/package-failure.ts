import { errorMessage, isTaplineError } from '@tapline/base';
import type { StatusError } from '@tapline/resources';

/** Codes that trying again does not change; the spec or Homebrew has to. */
const permanentCodes: ReadonlySet<string> = new Set([
  // Its digest is the published one, so another download holds the same.
  'bottle_corrupt',
  'unsafe_tar_entry',
  'bottle_missing',
  'cyclic_dependency',
  'formula_not_found',
  'image_invalid',
  'image_too_large',
  'reference_invalid',
  'invalid_formula_name',
  'layer_conflict',
  'platform_unsupported',
  'version_differs',
  'version_not_found',
]);

export function isPermanent(error: { readonly code: string }): boolean {
  return permanentCodes.has(error.code);
}

/** An error as a status shows it. */
export function statusError(error: unknown): StatusError {
  if (!isTaplineError(error)) return { code: 'internal', message: errorMessage(error) };
  const { code, hint } = error;
  return { code, message: errorMessage(error), ...(hint === undefined ? {} : { hint }) };
}

/** A code as a condition's reason: `formula_not_found` → `FormulaNotFound`. */
export function reasonOf(code: string): string {
  return code
    .split('_')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
}
