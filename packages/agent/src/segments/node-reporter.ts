import { isDeepStrictEqual } from 'node:util';
import { type Clock, errorMessage, isTaplineError, type Log, type Rng } from '@tapline/base';
import type { ResourceClient } from '@tapline/client';
import { WorkQueue } from '@tapline/reconcile';
import { nodeResource } from '@tapline/resources';
import type { NodeFacts } from './node-facts.ts';

const lookAgainMs = 30_000;
/** Its Node is made when the control plane sees that the device is a node. */
const notThereYetMs = 250;

/** Tells the control plane what this node is and can do, and again when that changes. */
export function createNodeReporter(init: {
  readonly node: string;
  readonly client: ResourceClient;
  readonly read: () => Promise<NodeFacts>;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
}): AsyncDisposable & {
  /** Looks now, as after the session was opened. */
  refresh(): void;
} {
  const { node, client, read, clock, rng, log } = init;
  const key = 'node';
  let told: NodeFacts | undefined;
  const queue = new WorkQueue({
    clock,
    rng,
    baseBackoffMs: 200,
    maxBackoffMs: 30_000,
    async run(_key, { signal }) {
      const facts = await read();
      if (isDeepStrictEqual(facts, told)) return { requeueAfterMs: lookAgainMs };
      try {
        const body = { status: facts };
        const patch = { kind: 'merge', body } as const;
        await client.patch(nodeResource, node, patch, { subresource: 'status', signal });
      } catch (error) {
        // The authorizer does not say which of both it is.
        const isMissing = isTaplineError(error, 'not_found') || isTaplineError(error, 'forbidden');
        if (!isMissing) throw error;
        return { requeueAfterMs: notThereYetMs };
      }
      told = facts;
      return { requeueAfterMs: lookAgainMs };
    },
    onError: (_key, error, retryAfterMs) =>
      log.info('node not reported', { retryAfterMs, error: errorMessage(error) }),
  });
  queue.add(key);
  return {
    refresh() {
      told = undefined;
      queue.add(key);
    },
    [Symbol.asyncDispose]: () => queue[Symbol.asyncDispose](),
  };
}
