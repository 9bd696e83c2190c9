import {
  type Clock,
  errorMessage,
  formatDuration,
  isTaplineError,
  TaplineError,
} from '@tapline/base';
import type { ResourceClient } from '@tapline/client';
import { type Delivery, deliveryResource } from '@tapline/resources';
import type { Console } from '../framework/console.ts';
import { createProgressLine } from '../output/progress-line.ts';
import { deliveryProgress } from './delivery-progress.ts';

/** Follows a delivery until the generation is ready everywhere or has failed; prints progress. */
export async function waitForDelivery(
  client: ResourceClient,
  delivery: Delivery,
  options: { readonly console: Console; readonly timeoutMs: number },
): Promise<Delivery> {
  const { console, timeoutMs } = options;
  const { name, generation = 1 } = delivery.metadata;
  const timeout = new AbortController();
  const signal = AbortSignal.any([console.signal, timeout.signal]);
  const timer = new AbortController();
  void console.clock.sleep(timeoutMs, { signal: timer.signal }).then(
    () => timeout.abort(),
    () => undefined,
  );
  const line = createProgressLine(console);
  let last = 'nothing heard yet';
  try {
    const onAway = (why: string): void => {
      last = why;
      line.show({ text: `${name}: ${why}`, done: 0, of: 0 });
    };
    for await (const now of follow(client, name, { clock: console.clock, signal, onAway })) {
      const progress = deliveryProgress(now, generation);
      if (progress.kind === 'ready') return now;
      if (progress.kind === 'failed') {
        throw new TaplineError(progress.code, progress.message, {
          hint: progress.hint ?? `tapline explain delivery ${name} says where each device stands`,
          details: { delivery: name },
        });
      }
      last = progress.text;
      line.show({ text: `${name}: ${progress.text}`, done: progress.done, of: progress.of });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    line.clear();
    timer.abort();
  }
  if (console.signal.aborted)
    throw new TaplineError('interrupted', `stopped waiting for ${name}; the delivery goes on`);
  throw new TaplineError(
    'timed_out',
    `${name} is not ready after ${formatDuration(timeoutMs)}: ${last}`,
    {
      hint: `the delivery goes on; tapline explain delivery ${name} says what it waits for`,
    },
  );
}

const retryMs = 1000;

/** The delivery now, and after each change; a control plane that goes away meanwhile is waited for. */
async function* follow(
  client: ResourceClient,
  name: string,
  options: {
    readonly clock: Clock;
    readonly signal: AbortSignal;
    readonly onAway: (why: string) => void;
  },
): AsyncIterable<Delivery> {
  const { clock, onAway, signal } = options;
  for (;;) {
    try {
      yield* changes(client, name, signal);
      signal.throwIfAborted();
    } catch (error) {
      const away = ['unreachable', 'unavailable', 'expired'].some((code) =>
        isTaplineError(error, code),
      );
      if (!away) throw error;
      onAway(`waiting for the control plane: ${errorMessage(error)}`);
    }
    await clock.sleep(retryMs, { signal });
  }
}

/** The delivery now, and after each change until the watch ends. */
async function* changes(
  client: ResourceClient,
  name: string,
  signal: AbortSignal,
): AsyncIterable<Delivery> {
  const current = await client.get(deliveryResource, name, { signal });
  yield current;
  const { resourceVersion = '0' } = current.metadata;
  const fieldSelector = `metadata.name=${name}`;
  for await (const event of client.watch(deliveryResource, {
    fieldSelector,
    resourceVersion,
    signal,
  })) {
    if (event.kind === 'deleted')
      throw new TaplineError('not_found', `delivery ${name} was deleted meanwhile`);
    if (event.kind !== 'bookmark') yield event.object;
  }
}
