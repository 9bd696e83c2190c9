/**
 * `work` on each item, at most `limit` at once; results in the items' order. The first failure stops
 * new work, aborts the signal of what is under way, and is thrown once that has ended.
 */
export async function mapConcurrently<T, R>(
  items: readonly T[],
  options: { readonly limit: number; readonly signal?: AbortSignal | undefined },
  work: (item: T, signal: AbortSignal) => Promise<R>,
): Promise<R[]> {
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  const results: R[] = Array.from({ length: items.length });
  const queue = items.entries();
  async function worker(): Promise<void> {
    for (const [index, item] of queue) {
      signal.throwIfAborted();
      results[index] = await work(item, signal);
    }
  }
  let failure: { readonly error: unknown } | undefined;
  await Promise.all(
    Array.from({ length: Math.min(options.limit, items.length) }, async () => {
      try {
        await worker();
      } catch (error) {
        failure ??= { error };
        stop.abort(error);
      }
    }),
  );
  if (failure !== undefined) throw failure.error;
  return results;
}
