import { type Clock, isTaplineError, type Log, type Rng } from '@tapline/base';
import type { ResourceClient } from '@tapline/client';
import {
  createEventRecorder,
  createReconciler,
  type ReconcileMetrics,
  runAsLeader,
  watch,
} from '@tapline/reconcile';
import type { OpsEvidence } from '@tapline/resources';
import type { Span } from '@tapline/telemetry';
import { claimEpoch } from '../ledger.ts';
import { faultExtents } from '../playbooks/fault-extent.ts';
import { type Fault, faultsOf } from '../playbooks/fault.ts';
import type { Signal } from '../signals/signal.ts';
import type { ExecuteOnDevice } from './carry-out.ts';
import { createDecider, type Decider } from './decider.ts';
import { createFleetView } from './fleet-view.ts';
import { createLedgerWriter } from './ledger-writer.ts';
import type { OpsInformers } from './ops-informers.ts';
import { createRemediationWorker, isOver } from './remediation-worker.ts';
import type { OpsSight } from './worker-init.ts';
import { dueSignals, spent } from './schedule-signals.ts';
import { createSignalDesk } from './signal-desk.ts';

export interface OpsBotInit {
  readonly client: ResourceClient;
  readonly informers: OpsInformers;
  /** Whether others compete for the lease; else the caller sees to it that there is one. */
  readonly shared: boolean;
  /** Another in each replica. */
  readonly identity: string;
  /** Runs a command on a device; absent where there is no tunnel to devices. */
  readonly execute?: ExecuteOnDevice;
  readonly metrics?: OpsMetrics;
  readonly reconcileMetrics?: ReconcileMetrics;
  /** Of remediations that are over; absent: none are made. */
  readonly onSpans?: (spans: readonly Span[]) => void;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
  /** How long a leader that is gone is waited for. */
  readonly leaseMs?: number;
}

export interface OpsMetrics {
  decision(about: { readonly seconds: number; readonly outcome: string }): void;
  signal(source: OpsEvidence['source']): void;
  leading(epoch: number | undefined): void;
}

/** One replica: it hears everything, and acts while it leads. */
export interface OpsBot extends AsyncDisposable {
  /** Takes what somebody outside says. */
  observe(signal: Signal): void;
  /** What a source has said holds while `isLive` says so. */
  source(source: OpsEvidence['source'], isLive: () => boolean): void;
  /** Of this replica, while it leads. */
  readonly epoch: number | undefined;
}

const leaseName = 'tapline-opsbot';
const leaseNamespace = 'default';
const defaultLeaseMs = 3000;
const tickMs = 1000;

/** Starts a replica; informers have to be synced. */
export function startOpsBot(init: OpsBotInit): OpsBot {
  const { client, informers, clock, rng, log, metrics } = init;
  const view = createFleetView(informers);
  const desk = createSignalDesk({ informers, clock });
  const ledger = createLedgerWriter({ client, informer: informers.policies });
  const events = createEventRecorder({ client, clock, log, component: 'tapline-opsbot' });
  const stop = new AbortController();
  let epoch: number | undefined;
  let faults: ReadonlyMap<string, Fault> | undefined;
  let extents: OpsSight['extent'] | undefined;
  const wakers = new Set<() => void>();

  function changed(): void {
    faults = undefined;
    extents = undefined;
    for (const wake of wakers) wake();
  }
  const sight: OpsSight = {
    fleet: () => view.fleet(),
    faults: () => (faults ??= faultsOf(desk.book, informers.playbooks.list(), view.fleet())),
    extent(playbook) {
      extents ??= faultExtents(sight.faults(), view.fleet());
      return extents(playbook);
    },
    live: (source) => desk.live(source),
  };
  const ends = [
    desk.onSignal(changed),
    informers.playbooks.onChange(changed),
    informers.policies.onChange(changed),
    informers.remediations.onChange(changed),
    // Labels select, and say where people work.
    informers.devices.onChange(changed),
    informers.nodes.onChange(changed),
    informers.workloads.onChange(changed),
    informers.channels.onChange(changed),
    informers.deliveries.onChange(changed),
    informers.segments.onChange(changed),
  ];
  const leaseMs = init.leaseMs ?? defaultLeaseMs;
  const alone = async (): Promise<void> => {
    if (!stop.signal.aborted) await lead(stop.signal);
  };
  const election = {
    client,
    clock,
    rng,
    log,
    namespace: leaseNamespace,
    name: leaseName,
    identity: init.identity,
    leaseDurationMs: leaseMs,
    renewDeadlineMs: leaseMs * 0.6,
    retryMs: leaseMs / 6,
  };
  const running = (
    init.shared ? runAsLeader(election, lead, { signal: stop.signal }) : alone()
  ).catch((error: unknown) => {
    if (!stop.signal.aborted) log.error('OpsBot stopped', { error });
  });

  /** Everything that acts; each write below is refused once another has a higher epoch. */
  async function lead(signal: AbortSignal): Promise<void> {
    const policy = await ledger.change(({ status = {} }) => claimEpoch(status, init.identity));
    const mine = policy.status?.epoch ?? 0;
    epoch = mine;
    metrics?.leading(mine);
    log.info('OpsBot leads', { epoch: mine });
    const late: { decider?: Decider } = {};
    const worker = createRemediationWorker({
      client,
      informers,
      ledger,
      events,
      sight,
      epoch: mine,
      execute: init.execute,
      onSpans: init.onSpans,
      escalate: async (from, playbook) =>
        (await late.decider?.escalate(from, playbook)) ?? 'person',
      clock,
      log,
    });
    const reconciler = createReconciler({
      name: 'remediation',
      clock,
      rng,
      log,
      ...(init.reconcileMetrics !== undefined && { metrics: init.reconcileMetrics }),
      concurrency: 8,
      baseBackoffMs: 20,
      maxBackoffMs: 5000,
      watches: [
        watch(informers.remediations, ({ object }, enqueue) => enqueue(object.metadata.name)),
        watch(informers.policies, ({ object }, enqueue) => {
          for (const { remediation } of object.status?.running ?? []) enqueue(remediation);
        }),
      ],
      async reconcile(name, context) {
        const both = AbortSignal.any([signal, context.signal]);
        if (both.aborted) return { done: true };
        try {
          return await worker.work(name, both);
        } catch (error) {
          // Who was fenced has nothing to say any more; the lease will tell.
          if (isTaplineError(error, 'ops_fenced')) {
            log.warn('fenced', { remediation: name, error });
            return { requeueAfterMs: 1000 };
          }
          throw error;
        }
      },
    });
    const decider = createDecider({
      client,
      informers,
      sight,
      desk,
      clock,
      log,
      onBegun: (name) => reconciler.enqueue(name),
      onDecision: (about) => metrics?.decision(about),
    });
    late.decider = decider;
    const awake = (): void => {
      for (const { metadata, status } of informers.remediations.list()) {
        if (!isOver.has(status?.phase ?? '')) reconciler.enqueue(metadata.name);
      }
    };
    wakers.add(awake);
    try {
      await Promise.all([decideAlways(decider, signal), tick(decider, signal)]);
    } finally {
      wakers.delete(awake);
      epoch = undefined;
      metrics?.leading(undefined);
      await reconciler[Symbol.asyncDispose]();
    }
  }

  /** Looks at what stands, again whenever something changed or time may have changed it. */
  async function decideAlways(decider: Decider, signal: AbortSignal): Promise<void> {
    let writing: Promise<void> | undefined;
    const writeIncidents = (): void => {
      writing ??= decider
        .writeIncidents()
        .catch((error: unknown) => log.warn('incidents not written', { error }))
        .finally(() => (writing = undefined));
    };
    let isDirty = true;
    let wake: (() => void) | undefined;
    const onChange = (): void => {
      isDirty = true;
      wake?.();
    };
    wakers.add(onChange);
    try {
      while (!signal.aborted) {
        isDirty = false;
        let retryMs: number | undefined;
        try {
          retryMs = await decider.decide();
          writeIncidents();
        } catch (error) {
          log.warn('deciding failed', { error });
          retryMs = 200;
        }
        if (isDirty) continue;
        const waiting = new AbortController();
        wake = () => waiting.abort();
        const either = AbortSignal.any([signal, waiting.signal]);
        await clock.sleep(Math.min(retryMs ?? 60_000, 60_000), { signal: either }).catch(() => {});
        wake = undefined;
      }
    } finally {
      wakers.delete(onChange);
      await writing;
    }
  }

  /** What is due by the clock. */
  async function tick(decider: Decider, signal: AbortSignal): Promise<void> {
    const done = new Map<string, number>();
    while (!signal.aborted) {
      const due = dueSignals(informers.playbooks.list(), view.fleet(), clock.now()).filter(
        ({ key, order }) => (done.get(key) ?? -1) < order,
      );
      for (const one of due) {
        done.set(one.key, one.order);
        desk.take(one);
      }
      if (due.length > 0) {
        await decider.decide().catch((error: unknown) => log.warn('deciding failed', { error }));
        for (const one of due) desk.take(spent(one));
      }
      await clock.sleep(tickMs, { signal }).catch(() => {});
    }
  }

  return {
    observe(signal) {
      metrics?.signal(signal.source);
      desk.take(signal);
    },
    source: (source, isLive) => desk.source(source, isLive),
    get epoch() {
      return epoch;
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      for (const end of ends) end();
      await running;
      desk[Symbol.dispose]();
      view[Symbol.dispose]();
      await events[Symbol.asyncDispose]();
    },
  };
}
