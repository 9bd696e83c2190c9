import { isTaplineError } from '@tapline/base';
import type { ResourceClient } from '@tapline/client';
import { type Allocation, allocationResource, type AllocationSpec } from '@tapline/resources';

/** Changes an Allocation; the same object where nothing is to change. What it throws refuses it. */
export type AllocationChange = (spec: AllocationSpec) => AllocationSpec;

/**
 * Writes Allocations by compare-and-swap: a change is made on the newest version, and made again on
 * the next where somebody else was faster. Changes that wait for the same object are one write, so
 * that a thousand segments which are applied at once do not wait for a thousand syncs of the disk.
 */
export interface AllocationWriter {
  /** The spec with the change; what the change itself throws is thrown. */
  change(name: string, change: AllocationChange): Promise<AllocationSpec>;
}

interface Waiting {
  readonly change: AllocationChange;
  readonly done: PromiseWithResolvers<AllocationSpec>;
}

const nothing: AllocationSpec = { serial: 0 };

export function createAllocationWriter(init: {
  readonly client: Pick<ResourceClient, 'get' | 'create' | 'update'>;
  /** What was written, ahead of its event. */
  readonly observe?: (allocation: Allocation) => void;
}): AllocationWriter {
  const { client } = init;
  const queues = new Map<string, Waiting[]>();

  async function current(name: string): Promise<Allocation | undefined> {
    try {
      return await client.get(allocationResource, name);
    } catch (error) {
      if (isTaplineError(error, 'not_found')) return undefined;
      throw error;
    }
  }

  async function write(name: string, batch: readonly Waiting[]): Promise<void> {
    for (;;) {
      const found = await current(name);
      const before = found?.spec ?? nothing;
      let after = before;
      const accepted: { readonly waiting: Waiting; readonly spec: AllocationSpec }[] = [];
      for (const waiting of batch) {
        try {
          after = waiting.change(after);
          accepted.push({ waiting, spec: after });
        } catch (error) {
          waiting.done.reject(error);
        }
      }
      try {
        if (after !== before) await store(name, found, after);
      } catch (error) {
        if (isTaplineError(error, 'conflict') || isTaplineError(error, 'already_exists')) continue;
        // Deleted between the look and the write: it is made anew.
        if (isTaplineError(error, 'not_found')) continue;
        throw error;
      }
      for (const { waiting, spec } of accepted) waiting.done.resolve(spec);
      return;
    }
  }

  async function store(
    name: string,
    found: Allocation | undefined,
    spec: AllocationSpec,
  ): Promise<void> {
    const written =
      found === undefined
        ? await client.create(allocationResource, { metadata: { name }, spec })
        : await client.update(allocationResource, { ...found, spec });
    init.observe?.(written);
  }

  async function drain(name: string, queue: Waiting[]): Promise<void> {
    while (queue.length > 0) {
      const batch = queue.splice(0);
      try {
        await write(name, batch);
      } catch (error) {
        for (const { done } of batch) done.reject(error);
      }
    }
    queues.delete(name);
  }

  return {
    change(name, change) {
      const done = Promise.withResolvers<AllocationSpec>();
      const queue = queues.get(name);
      if (queue === undefined) {
        const started: Waiting[] = [{ change, done }];
        queues.set(name, started);
        void drain(name, started);
      } else queue.push({ change, done });
      return done.promise;
    },
  };
}
