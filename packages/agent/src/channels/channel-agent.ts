import { isDeepStrictEqual } from 'node:util';
import {
  type Clock,
  defined,
  errorMessage,
  isTaplineError,
  type Log,
  type Rng,
} from '@tapline/base';
import type { ResourceClient } from '@tapline/client';
import { createInformer, type Outcome, WorkQueue } from '@tapline/reconcile';
import {
  type ChannelEdge,
  channelEdgeResource,
  type ChannelEdgeSpec,
  type ChannelEdgeStatus,
  type NodeStatus,
} from '@tapline/resources';
import type { AgentState } from '../agent-state.ts';
import type { ChannelJobs } from './channel-jobs.ts';
import { createChannelWatch } from './channel-watch.ts';
import { edgeFileOf } from './edge-file-of.ts';
import type { EdgeProgram } from './edge-program.ts';

export interface ChannelAgentInit {
  readonly node: string;
  /** Where players reach the edge of this node. */
  readonly url: () => string;
  readonly client: ResourceClient;
  readonly state: AgentState;
  readonly program: Omit<EdgeProgram, keyof AsyncDisposable>;
  /** Called when the node's edge cache stands by or serves, and when it cannot. */
  readonly onEdge: (edge: EdgeHealth) => void;
  readonly jobs: ChannelJobs;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
}

/** What a node says of its edge cache. */
export type EdgeHealth = Pick<NodeStatus, 'edge' | 'edgeError'>;

/** A node's part in channels. Disposing it leaves serving what serves. */
export interface ChannelAgent extends AsyncDisposable {
  /** Resolves when the node's ChannelEdges were listed for the first time. */
  readonly synced: Promise<void>;
  /** Resolves when there is nothing to do for now. */
  idle(): Promise<void>;
  /** The edge ended by itself. */
  restarted(): void;
}

interface Served {
  readonly name: string;
  readonly uid: string;
  readonly spec: ChannelEdgeSpec;
  /** Generation of the newest flush that was done. */
  readonly flushed?: number;
}

const stateKey = 'channels';
const work = 'channels';
const resyncMs = 30_000;

export function createChannelAgent(init: ChannelAgentInit): ChannelAgent {
  const { node, client, state, program, jobs, clock, rng, log } = init;
  let served: ReadonlyMap<string, Served> = new Map(
    ((state.meta(stateKey) ?? []) as readonly Served[]).map((one) => [one.name, one]),
  );
  const statuses = new Map<string, ChannelEdgeStatus>();
  let told: EdgeHealth | undefined;
  const acceptedMs = new Map<string, number>();
  /** Whose own requests are under way, and not told apart from players' until they end. */
  const busy = new Set<string>();

  const reports = new WorkQueue({
    clock,
    rng,
    concurrency: 4,
    baseBackoffMs: 200,
    maxBackoffMs: 60_000,
    run: (name, { signal }) => report(name, signal),
    onError: (name, error, retryAfterMs) =>
      log.info('channel edge not reported', { name, retryAfterMs, error: errorMessage(error) }),
  });
  const applying = new WorkQueue({
    clock,
    rng,
    baseBackoffMs: 200,
    maxBackoffMs: 10_000,
    run: () => apply(),
    onError: (_key, error, retryAfterMs) => {
      log.warn('channels are not served', { retryAfterMs, error: errorMessage(error) });
      const code = isTaplineError(error) ? error.code : 'edge_failed';
      const failure = { code, message: errorMessage(error) };
      tell({ edge: null, edgeError: failure });
      for (const { name } of served.values()) set(name, { state: 'Failed', error: failure });
    },
  });
  const working = new WorkQueue({
    clock,
    rng,
    concurrency: 2,
    baseBackoffMs: 1000,
    maxBackoffMs: 60_000,
    run: (name, { signal }) => runJobs(name, signal),
    onError: (name, error, retryAfterMs) => {
      log.info('a channel is not primed or under load', { name, retryAfterMs, error });
      const code = isTaplineError(error) ? error.code : 'priming_failed';
      set(name, { error: { code, message: errorMessage(error) } });
    },
  });
  const informer = createInformer(client, channelEdgeResource, {
    clock,
    rng,
    log,
    fieldSelector: `spec.node=${node}`,
  });
  // Also without the control plane: what was served before a restart is served again.
  if (served.size > 0) applying.add(work);

  const stopListening = informer.onChange((change) => {
    try {
      if (change.kind === 'deleted') vanished(change.object.metadata.name);
      else accept(change.object);
    } catch (error) {
      // As on a full disk: all of them are looked at again until it can be noted.
      log.warn('channel edge cannot be noted', { name: change.object.metadata.name, error });
      applying.add(work);
    }
  });
  const synced = informer.synced.then(() => {
    // Also where there is nothing to serve: one from before has to end.
    applying.add(work);
    return undefined;
  });
  synced.catch((error: unknown) => log.debug('channel edges were never listed', { error }));
  const watching = createChannelWatch({
    served: () => served.values(),
    status: (name) => statuses.get(name),
    set,
    isBusy: (name) => busy.has(name),
    program,
    jobs,
    clock,
    log,
  });

  /** What changed while nobody here could hear of it, or could not be noted. */
  function takeStock(): void {
    if (!informer.isSynced) return;
    const listed = new Map(informer.list().map((one) => [one.metadata.name, one]));
    for (const name of served.keys()) if (!listed.has(name)) vanished(name);
    for (const edge of listed.values()) {
      const { uid, spec } = served.get(edge.metadata.name) ?? {};
      if (uid !== edge.metadata.uid || !isDeepStrictEqual(spec, edge.spec)) accept(edge);
    }
  }

  /** On disk first: what is served was noted. */
  function note(next: ReadonlyMap<string, Served>): void {
    state.putMeta(stateKey, [...next.values()]);
    served = next;
  }

  function accept({ metadata, spec }: ChannelEdge): void {
    const { name, uid = '', deletionTimestamp } = metadata;
    if (spec.node !== node) return;
    if (deletionTimestamp !== undefined) {
      vanished(name);
      return;
    }
    const before = served.get(name);
    if (before?.uid === uid && spec.epoch < before.spec.epoch) {
      // As after a backup of the control plane was restored: what is newer stays.
      const message = `epoch ${spec.epoch} is older than ${before.spec.epoch}, which the node has`;
      log.warn('channel edge refused', { name, epoch: spec.epoch });
      set(name, { error: { code: 'epoch_stale', message } });
      return;
    }
    if (before?.uid === uid && isDeepStrictEqual(before.spec, spec)) {
      // The control plane does not know what it was told, or this agent has begun anew.
      reports.add(name);
      return;
    }
    const flushed = before?.uid === uid ? before.flushed : undefined;
    note(new Map(served).set(name, { name, uid, spec, ...defined({ flushed }) }));
    if (before?.uid !== uid || before.spec.epoch !== spec.epoch) {
      statuses.delete(name);
      acceptedMs.set(name, clock.monotonic());
    }
    applying.add(work);
  }

  function vanished(name: string): void {
    if (!served.has(name)) return;
    note(new Map([...served].filter(([other]) => other !== name)));
    statuses.delete(name);
    acceptedMs.delete(name);
    applying.add(work);
  }

  async function apply(): Promise<Outcome> {
    takeStock();
    const all = [...served.values()];
    // What an agent before this one has left serving ends only when it is known that it has to.
    if (all.length === 0 && !informer.isSynced) return { done: true };
    // Without a channel it stands by: one that comes here from a dead node waits for no start.
    const specs = all.map(({ spec }) => spec);
    await program.serve(edgeFileOf(specs, { url: init.url() }));
    tell({ edge: { url: init.url() }, edgeError: null });
    for (const { name, spec } of all) {
      const before = statuses.get(name);
      if (before?.observedEpoch === spec.epoch && before.state !== 'Failed') continue;
      const seconds = (clock.monotonic() - (acceptedMs.get(name) ?? clock.monotonic())) / 1000;
      set(name, {
        observedEpoch: spec.epoch,
        state: 'Serving',
        url: init.url(),
        startSeconds: Math.round(seconds * 1000) / 1000,
        error: undefined,
      });
    }
    for (const { name } of all) working.add(name);
    return { requeueAfterMs: resyncMs };
  }

  function tell(next: EdgeHealth): void {
    if (isDeepStrictEqual(next, told)) return;
    told = next;
    init.onEdge(next);
  }

  /** Flushes, primes and puts under load what is to be, in this order. */
  async function runJobs(name: string, signal: AbortSignal): Promise<Outcome> {
    const one = served.get(name);
    const status = statuses.get(name);
    const { url } = program;
    if (one === undefined || url === undefined || status?.observedEpoch !== one.spec.epoch) {
      return { done: true };
    }
    const { spec } = one;
    const { generation } = spec.flush;
    if (generation > (one.flushed ?? 1)) {
      await program.purge(spec.channel, spec.flush);
      watching.forget(spec.channel);
      // Not once more after a restart: what was fetched since would be gone.
      const now = served.get(name);
      if (now?.uid === one.uid) note(new Map(served).set(name, { ...now, flushed: generation }));
    }
    if (status.flushed !== spec.flush.generation) set(name, { flushed: spec.flush.generation });
    busy.add(name);
    try {
      await fillAndTry(one, { url, signal });
    } finally {
      busy.delete(name);
      // From now on it is players again, and what they get is to be known soon.
      watching.wake();
    }
    return { done: true };
  }

  async function fillAndTry(
    { name, spec }: Served,
    about: { readonly url: string; readonly signal: AbortSignal },
  ): Promise<void> {
    const isCurrent = (): boolean => served.get(name)?.spec.epoch === spec.epoch;
    const run = spec.validate?.run;
    const isDue = run !== undefined && statuses.get(name)?.validation?.run !== run;
    const isPrimed = (statuses.get(name)?.primed?.generation ?? 0) >= spec.prime.generation;
    // What a live channel was primed with has gone by until it is under load again.
    if (!isPrimed || isDue) {
      const { primed, asked } = await jobs.prime(spec, about);
      watching.own(spec.channel, asked);
      if (!isCurrent()) return;
      set(name, { primed, state: 'Ready', error: undefined });
    }
    if (isDue) {
      const { validation, asked } = await jobs.validate(spec, about);
      watching.own(spec.channel, asked);
      if (isCurrent()) set(name, { validation, error: undefined });
    }
  }

  function set(
    name: string,
    change: { readonly [Key in keyof ChannelEdgeStatus]?: ChannelEdgeStatus[Key] | undefined },
  ): void {
    const next = { ...statuses.get(name), ...change };
    const known = Object.entries(next).filter(([, value]) => value !== undefined);
    statuses.set(name, Object.fromEntries(known));
    reports.add(name);
  }

  async function report(name: string, signal: AbortSignal): Promise<Outcome> {
    const status = statuses.get(name);
    const one = served.get(name);
    if (status === undefined || one === undefined) return { done: true };
    // What the control plane was told must not be unknown to the node after a loss of power.
    await state.barrier();
    const { restarts } = program;
    const absent = Object.fromEntries(
      ['error', 'primed', 'validation', 'flushed', 'traffic', 'recent', 'stream', 'storage'].map(
        (field) => [field, null],
      ),
    );
    const body = { metadata: { uid: one.uid }, status: { ...absent, ...status, restarts } };
    const patch = { kind: 'merge', body } as const;
    try {
      await client.patch(channelEdgeResource, name, patch, { subresource: 'status', signal });
    } catch (error) {
      const gone = isTaplineError(error, 'not_found') || isTaplineError(error, 'conflict');
      if (!gone && !isTaplineError(error, 'invalid')) throw error;
      log.info('channel edge status dropped', { name, error: errorMessage(error) });
    }
    return { done: true };
  }

  return {
    synced,
    idle: () => applying.idle(),
    restarted() {
      // What was counted began anew, and memory is empty: it is primed once more.
      watching.clear();
      for (const { name } of served.values()) statuses.delete(name);
      applying.add(work);
    },
    async [Symbol.asyncDispose]() {
      stopListening();
      await informer[Symbol.asyncDispose]();
      await working[Symbol.asyncDispose]();
      await applying[Symbol.asyncDispose]();
      await watching[Symbol.asyncDispose]();
      await reports[Symbol.asyncDispose]();
    },
  };
}
