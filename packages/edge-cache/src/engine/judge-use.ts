import type { PurgeState } from '../store/purge-table.ts';
import { currentAgeMs, freshForMs, type StoredHead } from '../store/stored-response.ts';
import type { RequestWishes } from './request-hints.ts';

/**
 * What becomes of something kept when it is asked for: used as it is; used while it is renewed; renewed
 * first, by asking the origin whether it changed; or as if it were not there.
 */
export type Use = 'hit' | 'hit-and-renew' | 'renew' | 'miss';

export interface UseInput {
  readonly nowMs: number;
  readonly purged: PurgeState;
  readonly wishes: RequestWishes;
  /** The request carries credentials. */
  readonly authorized: boolean;
}

export function judgeUse(head: StoredHead, { nowMs, purged, wishes, authorized }: UseInput): Use {
  if (purged === 'hard' || wishes.noStore) return 'miss';
  // RFC 9111 would allow it; an origin that forgets `Vary` must not show one user what others get.
  if (authorized && !head.forAuthorized) return 'miss';
  if (wishes.noCache || head.alwaysRevalidate) return 'renew';
  const freshMs = freshForMs(head, nowMs);
  if (currentAgeMs(head, nowMs) > wishes.maxAgeMs) return 'renew';
  if (purged === 'valid' && freshMs > 0) return freshMs >= wishes.minFreshMs ? 'hit' : 'renew';
  if (head.mustRevalidate) return 'renew';
  const staleMs = purged === 'soft' ? Math.max(0, -freshMs) : -freshMs;
  if (staleMs <= wishes.maxStaleMs && wishes.maxStaleMs > 0) return 'hit';
  // A soft purge means: take the new one as soon as it is there, and the old one until then.
  if ((purged === 'soft' && freshMs > 0) || staleMs < head.staleWhileRevalidateMs)
    return 'hit-and-renew';
  return 'renew';
}

/** Whether it may answer in place of an error. */
export function maySubstitute(
  head: StoredHead,
  { nowMs, purged }: { readonly nowMs: number; readonly purged: PurgeState },
): boolean {
  // An old error is no better than a new one.
  if (purged === 'hard' || head.mustRevalidate || head.status >= 500) return false;
  return -freshForMs(head, nowMs) < head.staleIfErrorMs;
}
