import { setTimeout as delay } from 'node:timers/promises';

const everyMs = 20;

/**
 * The first answer that is neither undefined nor false. Fails with `what` and the last error when
 * there is none in time.
 */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
  { withinMs = 30_000 }: { readonly withinMs?: number } = {},
): Promise<T> {
  const until = performance.now() + withinMs;
  let last: unknown;
  for (;;) {
    try {
      const seen = await look();
      if (seen !== undefined && seen !== false) return seen;
    } catch (error) {
      // What is asked may be away for a while: that is what these tests are about.
      last = error;
    }
    if (performance.now() > until) {
      throw new Error(`not seen within ${withinMs} ms: ${what}`, { cause: last });
    }
    await delay(everyMs);
  }
}
