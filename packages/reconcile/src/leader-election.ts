import {
  backoffMs,
  type Clock,
  isTaplineError,
  type Log,
  type Rng,
  TaplineError,
} from '@tapline/base';
import type { ResourceClient } from '@tapline/client';
import { type Lease, leaseResource } from '@tapline/resources';

export interface LeaderElectionInit {
  readonly client: ResourceClient;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
  readonly namespace: string;
  /** Name of the Lease that candidates compete for. */
  readonly name: string;
  /** Who this candidate is; another in each process. */
  readonly identity: string;
  /** Others wait this long after the last renewal before they take over. */
  readonly leaseDurationMs?: number;
  /** Not renewed for this long, the leader steps down: shorter, so that two never lead at once. */
  readonly renewDeadlineMs?: number;
  readonly retryMs?: number;
}

/**
 * Leads while it holds a Kubernetes Lease (the algorithm of client-go): `lead` runs with a signal
 * that aborts when the lease is lost, and again when it is won again, until `signal` aborts. A
 * holder's renewals are timed by our own clock from when we saw them, so clock skew does not matter.
 */
export async function runAsLeader(
  init: LeaderElectionInit,
  lead: (signal: AbortSignal) => Promise<void>,
  options: { readonly signal: AbortSignal },
): Promise<void> {
  const candidate = new Candidate(init);
  const { signal } = options;
  while (!signal.aborted) {
    if (!(await candidate.tryToHold())) {
      await pause(init, signal);
      continue;
    }
    init.log.info('leading', { lease: init.name, identity: init.identity });
    const term = new AbortController();
    const active = AbortSignal.any([signal, term.signal]);
    const keeping = keep(candidate, init, active).then((lost) => {
      if (lost)
        term.abort(new TaplineError('lease_lost', `lease ${init.name} is not held any more`));
      return lost;
    });
    let lost = false;
    try {
      await lead(active);
    } catch (error) {
      if (!active.aborted) throw error;
    } finally {
      lost = term.signal.aborted;
      term.abort();
      await keeping;
      if (!lost) await candidate.release();
    }
    if (!lost) return;
  }
}

/** Renews until the signal aborts; whether the lease was lost before that. */
async function keep(
  candidate: Candidate,
  init: LeaderElectionInit,
  signal: AbortSignal,
): Promise<boolean> {
  const { clock, log, name, renewDeadlineMs = 10_000 } = init;
  let renewedMs = clock.monotonic();
  while (await pause(init, signal)) {
    // An answer that hangs must not keep a leader in office beyond its lease.
    const leftMs = Math.max(0, renewedMs + renewDeadlineMs - clock.monotonic());
    const done = new AbortController();
    const startMs = clock.monotonic();
    const held = await Promise.race([
      candidate.tryToHold(),
      clock.sleep(leftMs, { signal: done.signal }).then(() => false),
    ]);
    done.abort();
    if (held) renewedMs = startMs;
    else if (candidate.isHeldByOther || clock.monotonic() - renewedMs >= renewDeadlineMs) {
      log.warn('lease lost', { lease: name });
      return true;
    }
  }
  return false;
}

/** Waits for the next attempt; false when the signal aborted. */
async function pause(init: LeaderElectionInit, signal: AbortSignal): Promise<boolean> {
  const { clock, rng, retryMs = 2000 } = init;
  try {
    await clock.sleep(backoffMs(0, { baseMs: retryMs, maxMs: retryMs, rng }), { signal });
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  }
}

class Candidate {
  readonly #init: LeaderElectionInit;
  /** The holder's record as last seen, and when by our clock. */
  #seen: { readonly record: string; readonly atMs: number } | undefined;
  isHeldByOther = false;

  constructor(init: LeaderElectionInit) {
    this.#init = init;
  }

  /** Takes or renews the lease; whether it is ours now. */
  async tryToHold(): Promise<boolean> {
    const { log, name } = this.#init;
    try {
      return await this.#take();
    } catch (error) {
      const raced = isTaplineError(error, 'conflict') || isTaplineError(error, 'already_exists');
      if (!raced) log.warn('lease not reachable', { lease: name, error });
      return false;
    }
  }

  /** Gives the lease back, so that nobody has to wait for it to run out. */
  async release(): Promise<void> {
    const { client, identity, log, name, namespace } = this.#init;
    try {
      const lease = await client.get(leaseResource, name, { namespace });
      if (lease.spec?.holderIdentity !== identity) return;
      const { leaseTransitions = 0 } = lease.spec;
      const spec = { holderIdentity: '', leaseDurationSeconds: 1, leaseTransitions };
      await client.update(leaseResource, { ...lease, spec }, { namespace });
    } catch (error) {
      log.warn('lease not released', { lease: name, error });
    }
  }

  async #take(): Promise<boolean> {
    const { client, clock, identity, name, namespace, leaseDurationMs = 15_000 } = this.#init;
    const now = microTime(clock.now());
    const lease = await this.#find();
    const ours = {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(leaseDurationMs / 1000),
      renewTime: now,
    };
    if (lease === undefined) {
      const spec = { ...ours, acquireTime: now, leaseTransitions: 0 };
      await client.create(leaseResource, { metadata: { name, namespace }, spec }, { namespace });
      return true;
    }
    const holder = lease.spec?.holderIdentity ?? '';
    const { acquireTime = now, leaseTransitions = 0 } = lease.spec ?? {};
    this.isHeldByOther = holder !== '' && holder !== identity;
    if (this.isHeldByOther && !this.#hasRunOut(lease)) return false;
    const spec =
      holder === identity
        ? { ...ours, acquireTime, leaseTransitions }
        : { ...ours, acquireTime: now, leaseTransitions: leaseTransitions + 1 };
    await client.update(leaseResource, { ...lease, spec }, { namespace });
    this.isHeldByOther = false;
    return true;
  }

  #hasRunOut(lease: Lease): boolean {
    const { holderIdentity, renewTime, leaseDurationSeconds = 15 } = lease.spec ?? {};
    const record = `${holderIdentity} ${renewTime} ${lease.metadata.resourceVersion}`;
    const nowMs = this.#init.clock.monotonic();
    if (this.#seen?.record !== record) this.#seen = { record, atMs: nowMs };
    return nowMs - this.#seen.atMs >= leaseDurationSeconds * 1000;
  }

  async #find(): Promise<Lease | undefined> {
    const { client, name, namespace } = this.#init;
    try {
      return await client.get(leaseResource, name, { namespace });
    } catch (error) {
      if (isTaplineError(error, 'not_found')) return undefined;
      throw error;
    }
  }
}

/** RFC 3339 with microseconds, Kubernetes's MicroTime. */
function microTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 23)}000Z`;
}
