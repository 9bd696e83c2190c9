import { createHash, type KeyObject, sign } from 'node:crypto';
import { der, TaplineError } from '@tapline/base';
import { certificateIssuer } from './certificate-issuer.ts';
import type { ProfileSigner } from './profile-signer.ts';

/** What browsers and mail programs have to be told, or a device does not offer to install it. */
export const profileMediaType = 'application/x-apple-aspen-config';

const oid = {
  data: '1.2.840.113549.1.7.1',
  signedData: '1.2.840.113549.1.7.2',
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
  signingTime: '1.2.840.113549.1.9.5',
};
const one = Uint8Array.of(1);

interface Algorithm {
  readonly hash: 'sha256' | 'sha384' | 'sha512';
  readonly digest: Uint8Array;
  readonly signature: Uint8Array;
}

/**
 * `content` in a signed message (CMS SignedData, RFC 5652) in DER, with the whole chain: what a
 * device installs as a signed profile.
 */
export function signProfile(
  content: Uint8Array,
  { signer, timeMs }: { readonly signer: ProfileSigner; readonly timeMs: number },
): Uint8Array {
  const { key, certificates } = signer;
  const [own] = certificates;
  if (own === undefined)
    throw new TaplineError('profile_signer_invalid', 'there is no certificate');
  const algorithm = algorithmOf(key);
  const attributes = [
    attribute(oid.contentType, der.oid(oid.data)),
    attribute(oid.signingTime, der.time(timeMs)),
    attribute(oid.messageDigest, der.octets(createHash(algorithm.hash).update(content).digest())),
  ];
  // RFC 5652 §5.4: signed as a SET OF, sent under another tag.
  const signed = der.setOf(...attributes);
  const signature = sign(algorithm.hash, signed, { key, dsaEncoding: 'der' });
  const { issuer, serial } = certificateIssuer(own);
  const info = der.sequence(
    der.integer(one),
    der.sequence(issuer, serial),
    algorithm.digest,
    der.context(0, withoutHeader(signed), 'constructed'),
    algorithm.signature,
    der.octets(signature),
  );
  const message = der.sequence(
    der.integer(one),
    der.setOf(algorithm.digest),
    der.sequence(der.oid(oid.data), der.context(0, der.octets(content), 'constructed')),
    der.context(0, Buffer.concat(certificates), 'constructed'),
    der.setOf(info),
  );
  return der.sequence(der.oid(oid.signedData), der.context(0, message, 'constructed'));
}

function attribute(type: string, value: Uint8Array): Uint8Array {
  return der.sequence(der.oid(type), der.setOf(value));
}

/** The content of an element: what is after its tag and length. */
function withoutHeader(element: Uint8Array): Uint8Array {
  const first = element[1] ?? 0;
  return element.subarray(first < 0x80 ? 2 : 2 + (first & 0x7f));
}

function algorithmOf(key: KeyObject): Algorithm {
  if (key.asymmetricKeyType === 'rsa') {
    return {
      hash: 'sha256',
      digest: der.sequence(der.oid('2.16.840.1.101.3.4.2.1')),
      signature: der.sequence(der.oid('1.2.840.113549.1.1.11'), der.null()),
    };
  }
  // A hash as long as the curve is strong.
  switch (key.asymmetricKeyDetails?.namedCurve) {
    case 'prime256v1':
      return ecdsa('sha256', {
        digest: '2.16.840.1.101.3.4.2.1',
        signature: '1.2.840.10045.4.3.2',
      });
    case 'secp384r1':
      return ecdsa('sha384', {
        digest: '2.16.840.1.101.3.4.2.2',
        signature: '1.2.840.10045.4.3.3',
      });
    case 'secp521r1':
      return ecdsa('sha512', {
        digest: '2.16.840.1.101.3.4.2.3',
        signature: '1.2.840.10045.4.3.4',
      });
    default:
      throw new TaplineError(
        'profile_signer_invalid',
        `a key of type ${key.asymmetricKeyType} cannot sign profiles`,
        { hint: 'take a key of P-256, P-384, P-521 or RSA' },
      );
  }
}

function ecdsa(
  hash: Algorithm['hash'],
  { digest, signature }: { readonly digest: string; readonly signature: string },
): Algorithm {
  return {
    hash,
    digest: der.sequence(der.oid(digest)),
    signature: der.sequence(der.oid(signature)),
  };
}
