import { createHmac, timingSafeEqual } from 'node:crypto';
import type { SigningSettings } from './channel-settings.ts';

/** A first path segment that carries a token: players keep it for what a playlist names relatively. */
const tokenPath = /^\/~([A-Za-z0-9_-]{1,32})\.(\d{1,12})\.([A-Za-z0-9_-]{43})(\/.*)$/;

export type SignedTarget =
  | { readonly kind: 'allowed'; readonly target: string }
  | { readonly kind: 'refused'; readonly reason: string };

/**
 * Signs all below `prefix` until `expiresMs`: the path that a viewer gets. The token stands before the
 * path, is verified at the edge and is part of no key, so that every viewer shares one object.
 */
export function signTarget(
  target: string,
  options: {
    readonly prefix: string;
    readonly keyId: string;
    readonly secret: string;
    readonly expiresMs: number;
  },
): string {
  const expires = String(Math.floor(options.expiresMs / 1000));
  const mac = macOf(options.secret, { keyId: options.keyId, expires, prefix: options.prefix });
  return `/~${options.keyId}.${expires}.${mac.toString('base64url')}${target}`;
}

/** The target without its token, where the token is good for `prefix` now. */
export function verifySignedTarget(
  signed: string,
  {
    settings,
    prefix,
    nowMs,
  }: { readonly settings: SigningSettings; readonly prefix: string; readonly nowMs: number },
): SignedTarget {
  const match = tokenPath.exec(signed);
  if (match === null) return { kind: 'refused', reason: 'the address carries no token' };
  const [, keyId = '', expires = '', given = '', target = ''] = match;
  const secret = Object.hasOwn(settings.keys, keyId) ? settings.keys[keyId] : undefined;
  if (secret === undefined)
    return { kind: 'refused', reason: 'the token names a key that is not known' };
  const mac = macOf(secret, { keyId, expires, prefix });
  const bytes = Buffer.from(given, 'base64url');
  if (bytes.length !== mac.length || !timingSafeEqual(bytes, mac)) {
    return { kind: 'refused', reason: 'the token is not valid for this address' };
  }
  if (Number(expires) * 1000 <= nowMs) return { kind: 'refused', reason: 'the token has expired' };
  return { kind: 'allowed', target };
}

/** The target behind what looks like a token, so that the channel can be found; nothing is verified. */
export function behindToken(target: string): string {
  return target.startsWith('/~') ? (tokenPath.exec(target)?.[4] ?? target) : target;
}

function macOf(
  secret: string,
  parts: { readonly keyId: string; readonly expires: string; readonly prefix: string },
): Buffer {
  return createHmac('sha256', secret)
    .update(JSON.stringify([parts.keyId, parts.expires, parts.prefix]))
    .digest();
}
