import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  X509Certificate,
} from 'node:crypto';
import { link, mkdir, open, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, isSystemError, TaplineError } from '@tapline/base';
import { type CertificateFields, encodeCertificate } from './encode-certificate.ts';

/** A certificate and where its validity ends. */
export interface IssuedCertificate {
  /** The certificate, then the authority's own, so that a peer can pin the authority. */
  readonly certificatePem: string;
  /** Milliseconds since the Unix epoch. */
  readonly notAfter: number;
}

export interface IssuedIdentity extends IssuedCertificate {
  readonly privateKeyPem: string;
}

/** The control plane's own certificate authority, P-256. Its key never leaves the process. */
export interface CertificateAuthority {
  readonly certificatePem: string;
  /** SHA-256 over the certificate's DER, base64url: what join tokens carry. */
  readonly fingerprint: string;
  /** For the control plane's TLS; `hosts` are names and addresses beside the loopback ones. */
  issueServer(request: {
    readonly hosts: readonly string[];
    readonly lifetimeMs?: number;
  }): IssuedIdentity;
  /** For a key that somebody else holds. Subject CN is the user, O the groups. */
  issueClient(request: {
    readonly user: string;
    readonly groups: readonly string[];
    /** SubjectPublicKeyInfo in DER. */
    readonly publicKey: Uint8Array;
    readonly lifetimeMs?: number;
  }): IssuedCertificate;
  /** For signing profiles, with a key of its own. */
  issueSigner(request: { readonly name: string; readonly lifetimeMs?: number }): IssuedIdentity;
  /** Whether a certificate (DER) is of this authority, expired or not. */
  hasIssued(certificate: Uint8Array): boolean;
  /** With a key of its own, such as for the administrator. */
  issueIdentity(request: {
    readonly user: string;
    readonly groups: readonly string[];
    readonly lifetimeMs?: number;
  }): IssuedIdentity;
}

const hour = 3_600_000;
const day = 24 * hour;
// Clocks of devices may be behind: what is issued now has been valid since yesterday.
const backdateMs = day;
const authorityName = { commonName: 'Tapline CA', organizations: [] };
const loopback = ['localhost', '127.0.0.1', '::1'];

/** Opens the authority kept in `directory`, making one the first time. */
export async function createCertificateAuthority(init: {
  readonly directory: string;
  readonly clock: Clock;
}): Promise<CertificateAuthority> {
  const { clock } = init;
  const path = join(init.directory, 'ca.pem');
  await mkdir(init.directory, { recursive: true, mode: 0o700 });
  const pem = (await readIfThere(path)) ?? (await persist(path, newAuthority(clock.now())));
  const privateKey = createPrivateKey(pem);
  const publicKey = spki(createPublicKey(privateKey));
  const certificate = new X509Certificate(pem.slice(pem.indexOf('-----BEGIN CERTIFICATE-----')));
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new TaplineError('ca_invalid', `${path}: the key is not that of the certificate`);
  }
  const certificatePem = certificate.toString();

  function issue(
    fields: Pick<CertificateFields, 'subject' | 'publicKey' | 'use'>,
    lifetimeMs: number,
  ): IssuedCertificate {
    const now = clock.now();
    // Nothing outlives the authority itself.
    const notAfter = Math.min(now + lifetimeMs, certificate.validToDate.getTime());
    const encoded = encodeCertificate(
      {
        ...fields,
        serial: newSerial(),
        issuer: authorityName,
        issuerPublicKey: publicKey,
        notBefore: now - backdateMs,
        notAfter,
      },
      privateKey,
    );
    return { certificatePem: toPem(encoded) + certificatePem, notAfter };
  }

  function issueClient(
    request: Parameters<CertificateAuthority['issueClient']>[0],
  ): IssuedCertificate {
    const { user, groups, lifetimeMs = 30 * day } = request;
    const subject = { commonName: user, organizations: groups };
    return issue({ subject, publicKey: request.publicKey, use: { kind: 'client' } }, lifetimeMs);
  }

  return {
    certificatePem,
    fingerprint: createHash('sha256').update(certificate.raw).digest('base64url'),
    issueClient,
    hasIssued(encoded) {
      const issued = new X509Certificate(encoded);
      return issued.checkIssued(certificate) && issued.verify(certificate.publicKey);
    },
    issueServer({ hosts, lifetimeMs = 90 * day }) {
      const key = newKey();
      const use = { kind: 'server', hosts: [...new Set([...loopback, ...hosts])] } as const;
      const subject = { commonName: 'Tapline', organizations: [] };
      const issued = issue({ subject, publicKey: spki(key.publicKey), use }, lifetimeMs);
      return { ...issued, privateKeyPem: keyPem(key.privateKey) };
    },
    issueSigner({ name, lifetimeMs = 365 * day }) {
      const key = newKey();
      const subject = { commonName: name, organizations: [] };
      const use = { kind: 'signer' } as const;
      const issued = issue({ subject, publicKey: spki(key.publicKey), use }, lifetimeMs);
      return { ...issued, privateKeyPem: keyPem(key.privateKey) };
    },
    issueIdentity(request) {
      const key = newKey();
      const issued = issueClient({ ...request, publicKey: spki(key.publicKey) });
      return { ...issued, privateKeyPem: keyPem(key.privateKey) };
    },
  };
}

function newAuthority(now: number): string {
  const { privateKey, publicKey } = newKey();
  const encoded = encodeCertificate(
    {
      serial: newSerial(),
      issuer: authorityName,
      subject: authorityName,
      publicKey: spki(publicKey),
      issuerPublicKey: spki(publicKey),
      notBefore: now - backdateMs,
      notAfter: now + 3650 * day,
      use: { kind: 'authority' },
    },
    privateKey,
  );
  return keyPem(privateKey) + toPem(encoded);
}

/** Key and certificate go into one file, complete or not at all; of two writers the first wins. */
async function persist(path: string, pem: string): Promise<string> {
  const draft = `${path}.${randomBytes(8).toString('hex')}`;
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(pem);
    await file.sync();
    await link(draft, path);
    return pem;
  } catch (error) {
    const winner = await readIfThere(path);
    if (winner === undefined) throw error;
    return winner;
  } finally {
    await file.close();
    await unlink(draft);
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function newKey(): { readonly privateKey: KeyObject; readonly publicKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

function newSerial(): Uint8Array {
  const serial = randomBytes(16);
  // Neither zero nor negative (RFC 5280 §4.1.2.2), and of a constant length.
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  return serial;
}

function spki(key: KeyObject): Uint8Array {
  return key.export({ type: 'spki', format: 'der' });
}

function keyPem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' });
}

function toPem(encoded: Uint8Array): string {
  return new X509Certificate(encoded).toString();
}
