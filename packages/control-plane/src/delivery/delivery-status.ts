import {
  type Delivery,
  type DeliveryStatus,
  type PinnedImage,
  setCondition,
  type StageTimes,
  type StatusError,
} from '@tapline/resources';
import type { Waiting } from '@tapline/reconcile';
import type { DeviceState } from './device-state.ts';
import { nameList } from './name-list.ts';
import type { WavePlan } from './plan-waves.ts';
import { resolveShare } from './resolve-share.ts';
import { stagePercentiles } from './stage-percentiles.ts';
import { strategyOf } from './strategy-of.ts';

/** The newest revision; without a version it is accepted but not pinned. */
export interface RevisionState {
  readonly number: number;
  readonly template: string | undefined;
  readonly version: string | undefined;
  readonly repository: string | undefined;
  readonly images: readonly PinnedImage[];
  readonly wave: number;
  readonly acceptedAt: string;
  readonly history: NonNullable<DeliveryStatus['history']>;
}

export interface DeliveryStatusInit {
  readonly delivery: Delivery;
  readonly revision: RevisionState;
  readonly states: readonly DeviceState[];
  readonly waves: WavePlan | undefined;
  readonly paused: boolean;
  readonly packageError: StatusError | undefined;
  readonly packageWaiting: Waiting | undefined;
  readonly packageStages: StageTimes | undefined;
  readonly stageTimes: readonly StageTimes[];
  /** Devices that get the revision in this very pass. */
  readonly assigned: ReadonlySet<DeviceState>;
  readonly nowMs: number;
}

type Counts = NonNullable<DeliveryStatus['counts']>;

/** How the rollout stands, in one word and one sentence. */
interface Verdict {
  readonly ready: boolean;
  readonly progressing: boolean;
  readonly reason: string;
  readonly message: string;
}

/** The status that goes with a plan; pure. */
export function deliveryStatus(init: DeliveryStatusInit): DeliveryStatus {
  const { delivery, revision, waves, nowMs, packageStages } = init;
  const previous = delivery.status ?? {};
  const counts = countsOf(init);
  const verdict = judge(init, counts);
  const failure = firstFailure(init);
  const observedGeneration = delivery.metadata.generation;
  const observed = observedGeneration === undefined ? {} : { observedGeneration };
  const { reason, message } = verdict;
  let conditions = setCondition(
    previous.conditions,
    { type: 'Ready', status: verdict.ready ? 'True' : 'False', reason, message, ...observed },
    nowMs,
  );
  conditions = setCondition(
    conditions,
    {
      type: 'Progressing',
      status: verdict.progressing ? 'True' : 'False',
      reason,
      message,
      ...observed,
    },
    nowMs,
  );
  conditions = setCondition(conditions, { ...degraded(init, failure), ...observed }, nowMs);
  const completedAt = verdict.ready ? completion(init, counts) : undefined;
  return {
    ...observed,
    revision: revision.number,
    ...(revision.template === undefined ? {} : { template: revision.template }),
    ...(revision.version === undefined ? {} : { version: revision.version }),
    ...(revision.repository === undefined ? {} : { repository: revision.repository }),
    ...(revision.images.length === 0 ? {} : { images: [...revision.images] }),
    counts,
    ...(waves === undefined ? {} : { wave: { current: waves.current, total: waves.total } }),
    acceptedAt: revision.acceptedAt,
    ...(completedAt === undefined ? {} : { completedAt }),
    ...(init.stageTimes.length === 0 ? {} : { stages: stagePercentiles(init.stageTimes) }),
    ...(packageStages === undefined ? {} : { packageStages }),
    ...historyOf(init, verdict),
    ...(failure === undefined ? {} : { error: failure }),
    conditions,
  };
}

function countsOf({ states, assigned }: DeliveryStatusInit): Counts {
  const counts = {
    desired: states.length,
    reachable: 0,
    updated: 0,
    ready: 0,
    failed: 0,
    offline: 0,
  };
  for (const state of states) {
    if (state.connected) counts.reachable += 1;
    if (state.assigned || assigned.has(state)) counts.updated += 1;
    if (state.progress.kind === 'ready') counts.ready += 1;
    else if (state.progress.kind === 'failed') counts.failed += 1;
    else if (!state.connected) counts.offline += 1;
  }
  return counts;
}

function judge(init: DeliveryStatusInit, counts: Counts): Verdict {
  const { delivery, revision, waves, packageError, packageWaiting, states } = init;
  const { desired, reachable, ready, failed, offline } = counts;
  const stands = `${ready} of ${desired} devices are ready at revision ${revision.number}`;
  if (init.paused) return stopped('Paused', `${stands}; spec.paused is true`);
  if (desired === 0) return stopped('NoDevices', 'the selector matches no device');
  if (revision.version === undefined) {
    if (packageError !== undefined) return stopped('PackageFailed', packageError.message);
    const why = packageWaiting === undefined ? 'it is not built yet' : packageWaiting.why;
    const what = packageWaiting?.what ?? 'package';
    return going('WaitingForPackage', `${what}: ${why}`);
  }
  if (waves?.stopped !== undefined) return stopped(waves.stopped.reason, waves.stopped.message);
  const unfinished = states.some(
    ({ connected, progress }) =>
      progress.kind === 'updating' || (progress.kind === 'waiting' && connected),
  );
  if (unfinished) return going('RollingOut', stands);
  if (reachable === 0 && ready === 0 && failed === 0) {
    return going('AllOffline', `none of ${desired} devices is connected`);
  }
  const budget = resolveShare(strategyOf(delivery.spec).errorBudget, desired);
  if (failed > budget || ready === 0) {
    return stopped(
      'DevicesFailed',
      `${stands}; ${failed} failed and the error budget is ${budget}`,
    );
  }
  if (failed > 0) return done('CompleteWithinErrorBudget', `${stands}; ${failed} failed`);
  if (offline > 0) {
    return done('CompleteExceptOffline', `${stands}; ${offline} offline converge when they return`);
  }
  return done('Complete', stands);
}

function going(reason: string, message: string): Verdict {
  return { ready: false, progressing: true, reason, message };
}

function stopped(reason: string, message: string): Verdict {
  return { ready: false, progressing: false, reason, message };
}

function done(reason: string, message: string): Verdict {
  return { ready: true, progressing: false, reason, message };
}

function degraded(
  { waves, states, packageError }: DeliveryStatusInit,
  failure: StatusError | undefined,
): { type: 'Degraded'; status: 'True' | 'False'; reason: string; message: string } {
  const type = 'Degraded';
  if (waves?.stopped !== undefined) return { type, status: 'True', ...waves.stopped };
  if (packageError !== undefined) {
    return { type, status: 'True', reason: 'PackageFailed', message: packageError.message };
  }
  if (failure === undefined) {
    return { type, status: 'False', reason: 'AsExpected', message: 'no device has failed' };
  }
  const failed = states.filter(({ progress }) => progress.kind === 'failed');
  const names = nameList(failed.map(({ device }) => device.metadata.name));
  const reason = failure.code === 'install_conflict' ? 'InstallConflict' : 'DevicesFailed';
  return { type, status: 'True', reason, message: `${names}: ${failure.message}` };
}

function firstFailure({ packageError, states }: DeliveryStatusInit): StatusError | undefined {
  if (packageError !== undefined) return packageError;
  const failed = states.find(({ progress }) => progress.kind === 'failed');
  return failed?.progress.kind === 'failed' ? failed.progress.error : undefined;
}

/** Moves on when a device that was offline becomes ready later. */
function completion({ delivery, revision, nowMs }: DeliveryStatusInit, counts: Counts): string {
  const { completedAt, counts: before, revision: last } = delivery.status ?? {};
  const isSame = last === revision.number && (before?.ready ?? 0) >= counts.ready;
  return isSame && completedAt !== undefined ? completedAt : new Date(nowMs).toISOString();
}

function historyOf(
  { revision, waves }: DeliveryStatusInit,
  verdict: Verdict,
): Pick<DeliveryStatus, 'history'> {
  if (revision.history.length === 0) return {};
  const outcome = verdict.ready
    ? 'Complete'
    : waves?.stopped !== undefined || verdict.reason === 'DevicesFailed'
      ? 'Failed'
      : 'Progressing';
  return {
    history: revision.history.map((entry) =>
      entry.revision === revision.number ? { ...entry, outcome } : entry,
    ),
  };
}
