import { createHash, type KeyObject, sign } from 'node:crypto';
import { der } from '@tapline/base';
import { ipBytes } from './ip-bytes.ts';

/** A distinguished name, as far as identities use it. */
export interface CertificateName {
  readonly commonName: string;
  readonly organizations: readonly string[];
}

/** What a certificate may be used for. */
export type CertificateUse =
  | { readonly kind: 'authority' }
  | { readonly kind: 'server'; readonly hosts: readonly string[] }
  | { readonly kind: 'client' }
  /** Signs what people install, such as profiles; no TLS peer takes it. */
  | { readonly kind: 'signer' };

export interface CertificateFields {
  /** Positive and unique to the issuer; at most 20 bytes. */
  readonly serial: Uint8Array;
  readonly issuer: CertificateName;
  readonly subject: CertificateName;
  /** SubjectPublicKeyInfo of the subject, in DER. */
  readonly publicKey: Uint8Array;
  readonly issuerPublicKey: Uint8Array;
  /** Milliseconds since the Unix epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly use: CertificateUse;
}

const ecdsaWithSha256 = der.sequence(der.oid('1.2.840.10045.4.3.2'));
const serverAuth = '1.3.6.1.5.5.7.3.1';
const clientAuth = '1.3.6.1.5.5.7.3.2';
// What signed messages are for; openssl asks for it where any purpose is named.
const emailProtection = '1.3.6.1.5.5.7.3.4';

/** An X.509 v3 certificate (RFC 5280) in DER, signed by a P-256 key. */
export function encodeCertificate(fields: CertificateFields, issuerKey: KeyObject): Uint8Array {
  const body = der.sequence(
    der.context(0, der.integer(Buffer.of(2)), 'constructed'),
    der.integer(fields.serial),
    ecdsaWithSha256,
    encodeName(fields.issuer),
    der.sequence(der.time(fields.notBefore), der.time(fields.notAfter)),
    encodeName(fields.subject),
    fields.publicKey,
    der.context(3, der.sequence(...extensions(fields)), 'constructed'),
  );
  const signature = sign('sha256', body, { key: issuerKey, dsaEncoding: 'der' });
  return der.sequence(body, ecdsaWithSha256, der.bits(signature));
}

function encodeName({ commonName, organizations }: CertificateName): Uint8Array {
  const attributes: (readonly [string, string])[] = [
    ...organizations.map((name) => ['2.5.4.10', name] as const),
    ['2.5.4.3', commonName],
  ];
  return der.sequence(
    ...attributes.map(([type, text]) => der.set(der.sequence(der.oid(type), der.utf8(text)))),
  );
}

function extensions({ use, publicKey, issuerPublicKey }: CertificateFields): Uint8Array[] {
  const identifiers = [
    extension('2.5.29.14', der.octets(keyIdentifier(publicKey))),
    extension(
      '2.5.29.35',
      der.sequence(der.context(0, keyIdentifier(issuerPublicKey), 'primitive')),
    ),
  ];
  switch (use.kind) {
    case 'authority':
      return [
        // Signs leaves only: a path length of 0.
        extension('2.5.29.19', der.sequence(der.boolean(true), der.integer(Buffer.of(0))), true),
        extension('2.5.29.15', der.bits(Buffer.of(0b0000_0110), 1), true),
        ...identifiers,
      ];
    case 'server':
      return [...leaf(serverAuth), ...identifiers, extension('2.5.29.17', alternatives(use.hosts))];
    case 'client':
      return [...leaf(clientAuth), ...identifiers];
    case 'signer':
      return [...leaf(emailProtection), ...identifiers];
  }
}

function leaf(purpose: string): Uint8Array[] {
  return [
    extension('2.5.29.19', der.sequence(), true),
    extension('2.5.29.15', der.bits(Buffer.of(0b1000_0000), 7), true),
    extension('2.5.29.37', der.sequence(der.oid(purpose))),
  ];
}

function alternatives(hosts: readonly string[]): Uint8Array {
  return der.sequence(
    ...hosts.map((host) => {
      const address = ipBytes(host);
      return address === undefined
        ? der.context(2, Buffer.from(host), 'primitive')
        : der.context(7, address, 'primitive');
    }),
  );
}

function extension(type: string, value: Uint8Array, critical = false): Uint8Array {
  const flag = critical ? [der.boolean(true)] : [];
  return der.sequence(der.oid(type), ...flag, der.octets(value));
}

/** RFC 7093 §2, method 1: the leftmost 160 bits of SHA-256 over the key. */
function keyIdentifier(publicKey: Uint8Array): Uint8Array {
  return createHash('sha256').update(publicKey).digest().subarray(0, 20);
}
