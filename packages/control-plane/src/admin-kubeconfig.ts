import { X509Certificate } from 'node:crypto';
import { open, readFile, rename } from 'node:fs/promises';
import { type Clock, isSystemError } from '@tapline/base';
import type { CertificateAuthority } from '@tapline/gateway';
import { mastersGroup } from '@tapline/apiserver';

const day = 86_400_000;
const lifetimeMs = 365 * day;
const renewBeforeMs = 30 * day;

/**
 * Writes the administrator's kubeconfig (mode 0600): the certificate that is there while it is valid
 * for another month, else a new one.
 */
export async function writeAdminKubeconfig(init: {
  readonly path: string;
  readonly url: string;
  readonly authority: CertificateAuthority;
  readonly clock: Clock;
}): Promise<void> {
  const { authority, clock, path, url } = init;
  const current = await readCredential(path);
  const isGood =
    current !== undefined &&
    current.authority === authority.certificatePem &&
    new X509Certificate(current.certificate).validToDate.getTime() - clock.now() > renewBeforeMs;
  const { certificate, key } = isGood ? current : issue(authority);
  // JSON is YAML to every reader, and our own command line reads it without a YAML parser.
  const text = `${JSON.stringify(kubeconfigOf({ url, authority, certificate, key }), undefined, 2)}\n`;
  // Renamed into place, so that whoever reads it meanwhile sees a whole file.
  const partial = `${path}.partial`;
  {
    await using file = await open(partial, 'w', 0o600);
    await file.chmod(0o600);
    await file.writeFile(text);
    await file.sync();
  }
  await rename(partial, path);
}

function issue(authority: CertificateAuthority): { certificate: string; key: string } {
  const groups = [mastersGroup];
  const issued = authority.issueIdentity({ user: 'admin', groups, lifetimeMs });
  return { certificate: issued.certificatePem, key: issued.privateKeyPem };
}

/** The credential of a file that an earlier start wrote; undefined where there is none. */
async function readCredential(
  path: string,
): Promise<
  { readonly certificate: string; readonly key: string; readonly authority: string } | undefined
> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
  const { clusters, users } = JSON.parse(text) as ReturnType<typeof kubeconfigOf>;
  const [cluster, user] = [clusters[0]?.cluster, users[0]?.user];
  if (cluster === undefined || user === undefined) return undefined;
  return {
    certificate: decode(user['client-certificate-data']),
    key: decode(user['client-key-data']),
    authority: decode(cluster['certificate-authority-data']),
  };
}

function kubeconfigOf(init: {
  readonly url: string;
  readonly authority: CertificateAuthority;
  readonly certificate: string;
  readonly key: string;
}) {
  const { url, authority, certificate, key } = init;
  const cluster = {
    server: url,
    'certificate-authority-data': encode(authority.certificatePem),
  };
  const user = { 'client-certificate-data': encode(certificate), 'client-key-data': encode(key) };
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'tapline', cluster }],
    users: [{ name: 'admin', user }],
    contexts: [{ name: 'tapline', context: { cluster: 'tapline', user: 'admin' } }],
    'current-context': 'tapline',
  };
}

function decode(base64: string): string {
  return Buffer.from(base64, 'base64').toString();
}

function encode(pem: string): string {
  return Buffer.from(pem).toString('base64');
}
