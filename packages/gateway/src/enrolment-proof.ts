import {
  createHash,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { TaplineError } from '@tapline/base';
import { claimText, type EnrolmentClaim } from './enrolment-claim.ts';
import { hashSecret } from './hash-secret.ts';

/** Shows that the device holds the key: ECDSA P-256 over the claim, as WebCrypto writes it. */
export function proveKey(claim: EnrolmentClaim, privateKeyPem: string): string {
  const key = createPrivateKey(privateKeyPem);
  return sign('sha256', claimBytes(claim), { key, dsaEncoding: 'ieee-p1363' }).toString(
    'base64url',
  );
}

/** The key that signed `claim`. Throws `proof_invalid`. */
export function verifyProof(
  claim: EnrolmentClaim,
  given: { readonly publicKey: string; readonly proof: string },
): Uint8Array {
  const key = parseKey(given.publicKey);
  const proof = Buffer.from(given.proof, 'base64url');
  if (!verify('sha256', claimBytes(claim), { key, dsaEncoding: 'ieee-p1363' }, proof)) {
    throw new TaplineError('proof_invalid', 'the proof is not a signature by the given key');
  }
  return key.export({ type: 'spki', format: 'der' });
}

/** SHA-256 over a SubjectPublicKeyInfo, base64url. */
export function keyFingerprint(publicKey: Uint8Array): string {
  return createHash('sha256').update(publicKey).digest('base64url');
}

function claimBytes(claim: EnrolmentClaim): Buffer {
  return Buffer.from(claimText(claim, hashSecret(claim.token)));
}

function parseKey(text: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPublicKey({ key: Buffer.from(text, 'base64url'), format: 'der', type: 'spki' });
  } catch (cause) {
    throw new TaplineError('proof_invalid', 'publicKey is not a SubjectPublicKeyInfo', { cause });
  }
  if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw new TaplineError('proof_invalid', 'publicKey is not a P-256 key');
  }
  return key;
}
