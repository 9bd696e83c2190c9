/** How a cache came to its answer, as RFC 9211 names it. */
export type CacheOutcome =
  | { readonly kind: 'hit'; readonly ttlSeconds: number }
  | {
      readonly kind: 'forward';
      readonly why:
        | 'uri-miss'
        | 'vary-miss'
        | 'stale'
        | 'method'
        | 'bypass'
        | 'request'
        | 'partial';
      readonly originStatus?: number;
      readonly stored?: boolean;
      readonly collapsed?: boolean;
      readonly detail?: string;
    };

/** The `Cache-Status` member of this cache; it is appended to what the origin's caches said. */
export function formatCacheStatus(name: string, outcome: CacheOutcome): string {
  if (outcome.kind === 'hit') return `${name}; hit; ttl=${Math.trunc(outcome.ttlSeconds)}`;
  const parts = [name, `fwd=${outcome.why}`];
  if (outcome.originStatus !== undefined) parts.push(`fwd-status=${outcome.originStatus}`);
  if (outcome.stored === true) parts.push('stored');
  if (outcome.collapsed === true) parts.push('collapsed');
  if (outcome.detail !== undefined) parts.push(`detail=${outcome.detail}`);
  return parts.join('; ');
}
