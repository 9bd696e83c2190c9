import { describe, expect, it } from 'vitest';
import { ManualClock, seededRng, silentLog, TaplineError } from '@tapline/base';
import type { ResourceClient } from '@tapline/client';
import type { Lease } from '@tapline/resources';
import { runAsLeader } from './leader-election.ts';

/** One Lease with compare and swap; `cut` are clients that reach it no more, or get no answer. */
class LeaseApi {
  lease: Lease | undefined;
  #revision = 0;
  readonly cut = new Map<string, 'refused' | 'silent'>();

  clientOf(identity: string): ResourceClient {
    const reach = async (): Promise<void> => {
      const how = this.cut.get(identity);
      if (how === 'silent') await new Promise(() => undefined);
      if (how === 'refused') throw new TaplineError('unavailable', 'no route');
    };
    return {
      get: async () => {
        await reach();
        if (this.lease === undefined) throw new TaplineError('not_found', 'no lease');
        return this.lease;
      },
      create: async (_definition: unknown, object: Lease) => {
        await reach();
        if (this.lease !== undefined) throw new TaplineError('already_exists', 'it is there');
        return this.#store(object);
      },
      update: async (_definition: unknown, object: Lease) => {
        await reach();
        if (object.metadata.resourceVersion !== this.lease?.metadata.resourceVersion) {
          throw new TaplineError('conflict', 'it has changed');
        }
        return this.#store(object);
      },
    } as unknown as ResourceClient;
  }

  #store(object: Lease): Lease {
    this.#revision += 1;
    const metadata = { ...object.metadata, resourceVersion: String(this.#revision) };
    this.lease = { ...object, metadata };
    return this.lease;
  }
}

describe('runAsLeader', () => {
  const clock = new ManualClock();

  function candidate(api: LeaseApi, identity: string, leading: Set<string>) {
    const stop = new AbortController();
    const ended = runAsLeader(
      {
        client: api.clientOf(identity),
        clock,
        rng: seededRng(identity.length),
        log: silentLog,
        namespace: 'default',
        name: 'tapline',
        identity,
      },
      async (signal) => {
        leading.add(identity);
        await new Promise<void>((resolve) => {
          signal.addEventListener('abort', () => resolve(), { once: true });
        });
        leading.delete(identity);
      },
      { signal: stop.signal },
    );
    return {
      async stop(): Promise<void> {
        stop.abort();
        await ended;
      },
    };
  }

  /** Time goes by in small steps; never do two lead. */
  async function pass(ms: number, leading: ReadonlySet<string>): Promise<void> {
    for (let at = 0; at < ms; at += 500) {
      await clock.advance(500);
      expect(leading.size).toBeLessThanOrEqual(1);
    }
  }

  it('lets one lead, and the other at once when that one stops', async () => {
    const api = new LeaseApi();
    const leading = new Set<string>();
    const one = candidate(api, 'one', leading);
    await pass(500, leading);
    const other = candidate(api, 'other', leading);
    await pass(60_000, leading);
    expect([...leading]).toEqual(['one']);
    await one.stop();
    await pass(3000, leading);
    expect([...leading]).toEqual(['other']);
    expect(api.lease?.spec?.leaseTransitions).toBe(1);
    await other.stop();
    expect(api.lease?.spec?.holderIdentity).toBe('');
  });

  it.each(['refused', 'silent'] as const)(
    'steps down before the other takes over when its API is %s',
    async (how) => {
      const api = new LeaseApi();
      const leading = new Set<string>();
      const one = candidate(api, 'one', leading);
      await pass(500, leading);
      const other = candidate(api, 'other', leading);
      await pass(10_000, leading);
      api.cut.set('one', how);
      await pass(12_000, leading);
      expect([...leading]).toEqual([]);
      await pass(10_000, leading);
      expect([...leading]).toEqual(['other']);
      await other.stop();
      api.cut.delete('one');
      // A candidate whose request never ends cannot be awaited; it leads no more, which counts.
      if (how === 'refused') await one.stop();
    },
  );

  it('hands on what the work fails with, and gives the lease back', async () => {
    const api = new LeaseApi();
    const run = runAsLeader(
      {
        client: api.clientOf('one'),
        clock,
        rng: seededRng(1),
        log: silentLog,
        namespace: 'default',
        name: 'tapline',
        identity: 'one',
      },
      () => Promise.reject(new TaplineError('store_failed', 'the disk is gone')),
      { signal: new AbortController().signal },
    );
    await expect(run).rejects.toMatchObject({ code: 'store_failed' });
    expect(api.lease?.spec?.holderIdentity).toBe('');
  });
});
