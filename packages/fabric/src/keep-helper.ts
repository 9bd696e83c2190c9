import {
  backoffMs,
  type Clock,
  errorMessage,
  isTaplineError,
  type Log,
  type Rng,
} from '@tapline/base';
import type { FabricHelper, HintReason } from './fabric-helper.ts';

/** A helper of one process. */
export interface StartedHelper extends FabricHelper {
  readonly pid: number;
  /** Resolves when the process has ended, whyever. */
  readonly gone: Promise<void>;
}

/** What lives that long is not counted among those that die at once. */
const steadyMs = 10_000;
const backoff = { baseMs: 100, maxMs: 10_000 } as const;

/**
 * Starts the process with rights again whenever it dies. What only reads is asked again of the next
 * process; operations that were under way are not: they fail with `helper_gone`, and whoever had
 * planned them has to look first. A new process is a hint, as events were lost with the old one.
 */
export function keepHelper(init: {
  readonly start: () => StartedHelper;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
}): FabricHelper & { readonly pid: number } {
  const { start, clock, rng, log } = init;
  const stop = new AbortController();
  const listeners: ((why: HintReason) => void)[] = [];
  let current = begin();
  let next = Promise.withResolvers<StartedHelper>();
  next.resolve(current);
  const running = keep();

  function begin(): StartedHelper {
    const helper = start();
    helper.onHint(hint);
    return helper;
  }

  function hint(why: HintReason): void {
    for (const listener of listeners) listener(why);
  }

  async function keep(): Promise<void> {
    let attempt = 0;
    for (;;) {
      const since = clock.monotonic();
      await current.gone;
      if (stop.signal.aborted) return;
      next = Promise.withResolvers();
      attempt = clock.monotonic() - since < steadyMs ? attempt + 1 : 1;
      const delayMs = backoffMs(attempt - 1, { ...backoff, rng });
      log.error("the fabric's helper died and is started again", { attempt, delayMs });
      await clock.sleep(delayMs, { signal: stop.signal }).catch(() => {});
      if (stop.signal.aborted) break;
      current = begin();
      next.resolve(current);
      hint('restart');
    }
    // Who waits for the next gets the last, which says that it is gone.
    next.resolve(current);
  }

  async function ask<T>(request: (helper: FabricHelper) => Promise<T>): Promise<T> {
    const helper = await next.promise;
    try {
      return await request(helper);
    } catch (error) {
      if (!isGone(error) || stop.signal.aborted) throw error;
      log.warn('asked again of a new helper', { error: errorMessage(error) });
      await helper.gone;
      return await request(await next.promise);
    }
  }

  return {
    get pid() {
      return current.pid;
    },
    capabilities: async () => await ask(async (helper) => await helper.capabilities()),
    read: async (what) => await ask(async (helper) => await helper.read(what)),
    wireguardKey: async () => await ask(async (helper) => await helper.wireguardKey()),
    namespace: async (verb, name) =>
      await ask(async (helper) => await helper.namespace(verb, name)),
    keys: async () => await ask(async (helper) => await helper.keys()),
    // Not asked again: once more would be one generation too many.
    renewKeys: async () => await (await next.promise).renewKeys(),
    sealKeys: async (wanted) => await ask(async (helper) => await helper.sealKeys(wanted)),
    execute: async (operations, options) => await (await next.promise).execute(operations, options),
    onHint: (listener) => void listeners.push(listener),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await current[Symbol.asyncDispose]();
      await running;
    },
  };
}

export function isGone(error: unknown): boolean {
  return isTaplineError(error) && error.code === 'helper_gone';
}
