import { createHash } from 'node:crypto';
import { type Formula, parseFormula } from '@tapline/brew';
import { parseDigest } from '@tapline/oci';
import type { PlannedBottle } from '../package-plan.ts';

export function testFormula(name: string): Formula {
  return parseFormula({ name, versions: { stable: '1.0' }, bottle: {} }, 'x86_64_linux');
}

/** A bottle of `bytes` at `url`. */
export function plannedBottle(
  name: string,
  { url, bytes }: { readonly url: string; readonly bytes: Uint8Array },
): PlannedBottle {
  const hex = createHash('sha256').update(bytes).digest('hex');
  const digest = parseDigest(`sha256:${hex}`);
  return { formula: testFormula(name), pkgVersion: '1.0', digest, url, size: bytes.length };
}
