/** What an answer of an edge was, as who measures a channel counts it. */
export type AnswerVerdict =
  | 'hit'
  /** Not in the cache: new, or never asked for. */
  | 'content'
  /** The edge or what is behind it failed. */
  | 'health'
  /** In the cache and not to be used as it was, or nothing for caches. */
  | 'other';

/** Reads it out of the status and of the last member of `Cache-Status` (RFC 9211), which is the edge's. */
export function judgeAnswer(status: number, cacheStatus: string | null): AnswerVerdict {
  const own = (cacheStatus ?? '').split(',').at(-1) ?? '';
  const parameters = own.split(';').map((one) => one.trim());
  if (status >= 500 || status === 429) return 'health';
  if (parameters.includes('hit')) return 'hit';
  const why = parameters.find((one) => one.startsWith('fwd='))?.slice('fwd='.length);
  if (why === undefined) return 'health';
  return why === 'uri-miss' || why === 'vary-miss' || why === 'partial' ? 'content' : 'other';
}
