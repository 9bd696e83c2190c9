import { type Clock, seededRng, silentLog, systemClock } from '@tapline/base';
import { createHttpTransport } from '@tapline/registry';
import { createHttpSource, type HttpSource } from '../http-source.ts';

/** Real time, but for backoff: that is over at once, and time-outs are longer than any of it. */
export const hastyClock: Clock = {
  ...systemClock,
  sleep: (ms, options) => systemClock.sleep(ms > 5_000 ? ms : 1, options),
};

export interface TestSource extends AsyncDisposable {
  readonly source: HttpSource;
}

export function openTestSource(options: { readonly attempts?: number } = {}): TestSource {
  const transport = createHttpTransport();
  const source = createHttpSource({
    transport,
    clock: hastyClock,
    rng: seededRng(1),
    log: silentLog,
    timeoutMs: 10_000,
    ...options,
  });
  return { source, [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose]() };
}
