import type { Token } from '@tapline/resources';

/** When an expired token is removed: it stays visible for a while, to explain refusals. */
export function tokenExpiryMs({ spec }: Token, graceMs: number): number {
  return Date.parse(spec.expiresAt) + graceMs;
}
