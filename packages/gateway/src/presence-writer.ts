import { backoffMs, type Clock, isTaplineError, type Log, type Rng } from '@tapline/base';
import type { ResourceClient } from '@tapline/client';
import { type Device, deviceResource } from '@tapline/resources';
import type { ReportedStatus } from './reported-status.ts';

/** What a session says about its device. */
export interface Presence {
  readonly epoch: number;
  readonly connected: boolean;
  /** RFC 3339. */
  readonly since: string;
  /** Fields of Device.status that the device reported. */
  readonly reported: ReportedStatus;
}

/** `superseded`: a newer session has written already, and this one says nothing any more. */
export type PresenceOutcome = 'written' | 'superseded' | 'gone';

/** Writes presence to Device.status: for each device only the newest, for the fleet a few at once. */
export interface PresenceWriter extends AsyncDisposable {
  write(device: string, presence: Presence): Promise<PresenceOutcome>;
}

interface Pending {
  presence: Presence;
  readonly done: PromiseWithResolvers<PresenceOutcome>;
}

export function createPresenceWriter(init: {
  readonly client: ResourceClient;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
  /** Writes under way at once. */
  readonly parallel?: number;
}): PresenceWriter {
  const { client, clock, rng, log, parallel = 32 } = init;
  const stopping = new AbortController();
  const waiting = new Map<string, Pending>();
  const writing = new Set<string>();
  const workers = new Set<Promise<void>>();

  async function work(): Promise<void> {
    for (;;) {
      const next = take();
      if (next === undefined) return;
      const [device, pending] = next;
      try {
        pending.done.resolve(await persist(device, pending.presence));
      } catch (error) {
        pending.done.reject(error);
      } finally {
        writing.delete(device);
      }
    }
  }

  /** The oldest device that no other worker is writing. */
  function take(): readonly [string, Pending] | undefined {
    for (const [device, pending] of waiting) {
      if (writing.has(device)) continue;
      waiting.delete(device);
      writing.add(device);
      return [device, pending];
    }
    return undefined;
  }

  async function persist(device: string, presence: Presence): Promise<PresenceOutcome> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        const current = await client.get(deviceResource, device);
        if (isNewer(current, presence)) return 'superseded';
        const { epoch, connected, since, reported } = presence;
        const status = { ...current.status, ...reported, presence: { epoch, connected, since } };
        await client.updateStatus(deviceResource, { ...current, status });
        return 'written';
      } catch (error) {
        if (isTaplineError(error, 'not_found')) return 'gone';
        stopping.signal.throwIfAborted();
        if (!isTaplineError(error, 'conflict')) log.warn('presence not written', { device, error });
        await clock.sleep(backoffMs(attempt, { baseMs: 20, maxMs: 10_000, rng }), {
          signal: stopping.signal,
        });
      }
    }
  }

  return {
    write(device, presence) {
      const pending = waiting.get(device);
      if (pending !== undefined) {
        if (presence.epoch >= pending.presence.epoch) pending.presence = presence;
        return pending.done.promise;
      }
      const done = Promise.withResolvers<PresenceOutcome>();
      waiting.set(device, { presence, done });
      if (workers.size < parallel) {
        const worker = work().finally(() => workers.delete(worker));
        workers.add(worker);
      }
      return done.promise;
    },
    async [Symbol.asyncDispose]() {
      stopping.abort(new Error('the gateway is stopping'));
      for (const { done } of waiting.values()) done.reject(stopping.signal.reason);
      waiting.clear();
      await Promise.all(workers);
    },
  };
}

function isNewer(device: Device, { epoch, connected }: Presence): boolean {
  const stored = device.status?.presence;
  if (stored === undefined || stored.epoch < epoch) return false;
  // Of one session the end is the last word.
  return stored.epoch > epoch || (connected && !stored.connected);
}
