import { createHash } from 'node:crypto';
import { formulaObjectName } from '@tapline/resources';

/**
 * The Package of a formula: `jq` for what Homebrew serves now, `jq.1.7.1` for one version. Formula
 * names have no dot as object names except Homebrew's own, so the two can only meet by intent; users
 * compare spec.formula before they trust a name. Of an image, `web.image.` and a sum of its reference:
 * what another reference stands for is another Package.
 */
export function packageName(formula: string, version?: string, image?: string): string {
  const name = formulaObjectName(formula);
  if (image !== undefined) {
    return `${name}.${createHash('sha256').update(image).digest('hex').slice(0, 12)}`;
  }
  if (version === undefined) return name;
  const suffix = version
    .toLowerCase()
    .replaceAll('+', 'x')
    .replaceAll(/[^a-z0-9.-]+/g, '-')
    .replaceAll(/\.{2,}/g, '.')
    .replaceAll(/^[^a-z0-9]+|[^a-z0-9]+$/g, '');
  return `${name}.${suffix}`;
}
