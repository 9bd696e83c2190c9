import { TaplineError } from '@tapline/base';
import type { Formula } from './formula.ts';

/**
 * The version of a keg, `<version>[_<revision>]`. Throws `version_unknown` for a formula without a
 * stable version.
 */
export function pkgVersion(formula: Pick<Formula, 'name' | 'stableVersion' | 'revision'>): string {
  if (formula.stableVersion === undefined) {
    throw new TaplineError('version_unknown', `formula ${formula.name} has no stable version`);
  }
  return formula.revision === 0
    ? formula.stableVersion
    : `${formula.stableVersion}_${formula.revision}`;
}
