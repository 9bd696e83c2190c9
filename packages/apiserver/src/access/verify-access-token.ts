import { createHash, timingSafeEqual } from 'node:crypto';
import type { Token } from '@tapline/resources';
import type { Identity } from '../identity.ts';

// A Token's name may have dots itself; the fixed length at the end tells where it ends.
const form = /^tla\.([a-z0-9][-a-z0-9.]{0,252})\.([A-Za-z0-9_-]{43})$/;

/** Who a bearer token `tla.<name>.<secret>` speaks for; undefined where it is not valid now. */
export function verifyAccessToken(
  bearer: string,
  find: (name: string) => Token | undefined,
  nowMs: number,
): Identity | undefined {
  const [, name, secret] = form.exec(bearer) ?? [];
  if (name === undefined || secret === undefined) return undefined;
  const spec = find(name)?.spec;
  const given = createHash('sha256').update(secret).digest();
  const wanted = Buffer.from(spec?.hash ?? '0'.repeat(64), 'hex');
  const same = wanted.length === given.length && timingSafeEqual(wanted, given);
  if (spec === undefined || !same || spec.purpose !== 'Access' || spec.user === undefined) {
    return undefined;
  }
  if (!(nowMs < Date.parse(spec.expiresAt))) return undefined;
  const groups = new Set([...(spec.groups ?? []), 'system:authenticated']);
  return { user: spec.user, groups: [...groups], via: 'token' };
}
