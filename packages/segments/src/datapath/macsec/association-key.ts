import { TaplineError } from '@tapline/base';
import { isExtended, type MacsecCipher, macsecKeyBytes } from './macsec-cipher.ts';

/** A secure association key (SAK) with what its cipher suite needs beside it. */
export interface AssociationKey {
  readonly cipher: MacsecCipher;
  readonly key: Uint8Array;
  /** Extended packet numbers only: 12 bytes. */
  readonly salt?: Uint8Array;
  /** Extended packet numbers only: short secure channel id of the sender. */
  readonly ssci?: number;
}

/** Throws `macsec_key_invalid`; never names what is in the key. */
export function checkAssociationKey(key: AssociationKey): void {
  const { cipher, salt, ssci } = key;
  const wanted = macsecKeyBytes(cipher);
  if (key.key.length !== wanted) {
    throw new TaplineError(
      'macsec_key_invalid',
      `a key of ${key.key.length} bytes does not fit ${cipher}, which takes ${wanted}`,
    );
  }
  if (isExtended(cipher) && (salt?.length !== 12 || ssci === undefined)) {
    throw new TaplineError(
      'macsec_key_invalid',
      `${cipher} needs a salt of 12 bytes and an SSCI (salt of ${salt?.length ?? 0} bytes, SSCI ${ssci ?? 'none'})`,
    );
  }
}

/**
 * Writes the nonce of a frame: SCI and packet number (IEEE Std 802.1AE-2018 §14.5), or with extended
 * numbers SSCI and all 64 bits, exclusive-or the salt (§14.7).
 */
export function writeNonce(
  nonce: Uint8Array,
  key: AssociationKey,
  number: {
    readonly sciHigh: number;
    readonly sciLow: number;
    readonly high: number;
    readonly low: number;
  },
): void {
  const { salt } = key;
  if (salt === undefined) {
    write32(nonce, 0, number.sciHigh);
    write32(nonce, 4, number.sciLow);
    write32(nonce, 8, number.low);
    return;
  }
  write32(nonce, 0, key.ssci ?? 0);
  write32(nonce, 4, number.high);
  write32(nonce, 8, number.low);
  for (let index = 0; index < 12; index += 1) {
    nonce[index] = (nonce[index] ?? 0) ^ (salt[index] ?? 0);
  }
}

function write32(into: Uint8Array, index: number, value: number): void {
  into[index] = value >>> 24;
  into[index + 1] = value >>> 16;
  into[index + 2] = value >>> 8;
  into[index + 3] = value;
}
