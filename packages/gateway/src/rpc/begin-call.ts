import { type Clock, isTaplineError, TaplineError } from '@tapline/base';

/** A call that the device has accepted. */
export interface BegunCall<T> {
  readonly first: T;
  /** What follows. Rejects with why it ends before its time. */
  readonly rest: AsyncIterable<T>;
  /** Ends it at the device, too. */
  cancel(): void;
}

/**
 * Begins a call and waits for the first response, which says that it was accepted. Throws
 * `stream_refused` with the device's own code in details, `stream_timeout`, `device_offline`,
 * `too_many_streams`.
 */
export async function beginCall<T>(init: {
  readonly device: string;
  readonly start: (options: { readonly signal: AbortSignal }) => AsyncIterable<T>;
  readonly clock: Clock;
  /** For the first response; as long as it takes where absent. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}): Promise<BegunCall<T>> {
  const { device, start, clock, timeoutMs } = init;
  const cancelling = new AbortController();
  const answered = new AbortController();
  const signal =
    init.signal === undefined
      ? cancelling.signal
      : AbortSignal.any([cancelling.signal, init.signal]);
  const timeout = async (): Promise<never> => {
    if (timeoutMs === undefined) return await new Promise(() => undefined);
    await clock.sleep(timeoutMs, { signal: answered.signal });
    throw new TaplineError(
      'stream_timeout',
      `device ${device} did not answer within ${timeoutMs} ms`,
    );
  };
  try {
    init.signal?.throwIfAborted();
    const responses = start({ signal })[Symbol.asyncIterator]();
    const { value, done } = await Promise.race([responses.next(), timeout()]);
    if (done === true) throw offline(device);
    return {
      first: value,
      rest: { [Symbol.asyncIterator]: () => responses },
      cancel: () => cancelling.abort('cancelled'),
    };
  } catch (error) {
    cancelling.abort('not wanted');
    init.signal?.throwIfAborted();
    throw isLost(error) ? offline(device, error) : error;
  } finally {
    answered.abort('answered');
  }
}

/** Whether a call ended with the tunnel that it was in. */
function isLost(error: unknown): boolean {
  return isTaplineError(error) && error.code.startsWith('tunnel_');
}

function offline(device: string, cause?: unknown): TaplineError {
  return new TaplineError('device_offline', `device ${device} went away`, { cause });
}
