/** What happened since the start; plain numbers, because they are counted on the hot path. */
export interface EdgeCounters {
  requests: number;
  hits: number;
  /** Hits of what was no longer fresh. */
  staleHits: number;
  misses: number;
  /** Requests that waited for another's fetch. */
  collapsed: number;
  /** Not for a cache: other methods, answers for one user. */
  passes: number;
  /** Requests sent to origins and parents. */
  fetches: number;
  /** Of them: answered 304. */
  renewals: number;
  originFailures: number;
  /** Answers that were cut off because the origin failed within the body. */
  cut: number;
  refused: number;
  purges: number;
  diskFailures: number;
  corrupt: number;
  bytesFromOrigin: number;
  /** Of answers from what is kept. */
  bytesServed: number;
}

export function edgeCounters(): EdgeCounters {
  return {
    requests: 0,
    hits: 0,
    staleHits: 0,
    misses: 0,
    collapsed: 0,
    passes: 0,
    fetches: 0,
    renewals: 0,
    originFailures: 0,
    cut: 0,
    refused: 0,
    purges: 0,
    diskFailures: 0,
    corrupt: 0,
    bytesFromOrigin: 0,
    bytesServed: 0,
  };
}
