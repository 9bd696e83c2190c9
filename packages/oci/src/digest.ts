import { TaplineError } from '@tapline/base';

declare const digestBrand: unique symbol;

/** A content digest, `sha256:<64 hex>` or `sha512:<128 hex>`, lower case. */
export type Digest = string & { readonly [digestBrand]: true };

const hexLengths: ReadonlyMap<string, number> = new Map([
  ['sha256', 64],
  ['sha512', 128],
]);

/**
 * Parses a digest of a registered algorithm (OCI image spec 1.1, descriptor.md#digests).
 * Throws `digest_invalid`.
 */
export function parseDigest(text: string): Digest {
  const colon = text.indexOf(':');
  const algorithm = text.slice(0, Math.max(colon, 0));
  const hex = text.slice(colon + 1);
  const length = hexLengths.get(algorithm);
  if (length === undefined || hex.length !== length || !/^[0-9a-f]+$/.test(hex)) {
    throw new TaplineError(
      'digest_invalid',
      `digest ${JSON.stringify(text.slice(0, 160))} is not sha256:<64 hex> or sha512:<128 hex>`,
    );
  }
  return text as Digest;
}
