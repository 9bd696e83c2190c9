import { randomUUID, sign, verify } from 'node:crypto';
import { isRecord } from '@tapline/base';
import type { RegistryScope } from './registry-scope.ts';
import type { SigningKey } from './signing-key.ts';

/** What a registry token says: JWT claims of the distribution project's token specification. */
export interface RegistryTokenClaims {
  readonly iss: string;
  readonly sub: string;
  readonly aud: string;
  /** Seconds since the epoch. */
  readonly exp: number;
  readonly nbf: number;
  readonly iat: number;
  readonly jti: string;
  readonly access: readonly RegistryScope[];
  /** The rest of who asked, so that what it may do is decided anew at each request. */
  readonly identity: unknown;
}

export interface TokenRequest {
  readonly issuer: string;
  readonly subject: string;
  readonly audience: string;
  readonly access: readonly RegistryScope[];
  readonly identity: unknown;
  readonly nowMs: number;
  readonly lifetimeSeconds: number;
}

const maxTokenLength = 16 * 1024;
// Clocks of the machines that share a key differ by less.
const skewSeconds = 10;

/** A JWT, signed by ES256 (RFC 7518 §3.4). */
export function signRegistryToken(key: SigningKey, request: TokenRequest): string {
  const iat = Math.floor(request.nowMs / 1000);
  const claims: RegistryTokenClaims = {
    iss: request.issuer,
    sub: request.subject,
    aud: request.audience,
    exp: iat + request.lifetimeSeconds,
    nbf: iat - skewSeconds,
    iat,
    jti: randomUUID(),
    access: request.access,
    identity: request.identity,
  };
  const signed = `${encode({ typ: 'JWT', alg: 'ES256', kid: key.id })}.${encode(claims)}`;
  const signature = sign('sha256', Buffer.from(signed), {
    key: key.privateKey,
    dsaEncoding: 'ieee-p1363',
  });
  return `${signed}.${signature.toString('base64url')}`;
}

/** What a token says, or undefined where it is not ours, not for this, or not of now. */
export function verifyRegistryToken(
  key: SigningKey,
  token: string,
  expected: { readonly issuer: string; readonly audience: string; readonly nowMs: number },
): RegistryTokenClaims | undefined {
  if (token.length > maxTokenLength) return undefined;
  const [, header, claims, signature] = /^([\w-]+)\.([\w-]+)\.([\w-]+)$/.exec(token) ?? [];
  if (header === undefined || claims === undefined || signature === undefined) return undefined;
  // The only algorithm there is; what a token says of its own must not choose another.
  if (decode(header)?.['alg'] !== 'ES256') return undefined;
  const isGenuine = verify(
    'sha256',
    Buffer.from(`${header}.${claims}`),
    { key: key.publicKey, dsaEncoding: 'ieee-p1363' },
    Buffer.from(signature, 'base64url'),
  );
  if (!isGenuine) return undefined;
  // Signed by us: it has the form that we give it.
  const body = decode(claims) as RegistryTokenClaims | undefined;
  const nowSeconds = expected.nowMs / 1000;
  const isOfNow = body !== undefined && body.nbf <= nowSeconds && nowSeconds < body.exp;
  return isOfNow && body.iss === expected.issuer && body.aud === expected.audience
    ? body
    : undefined;
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function decode(part: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString());
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
