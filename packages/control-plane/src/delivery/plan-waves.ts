import type { DeliveryStrategy } from '@tapline/resources';
import type { Waiting } from '@tapline/reconcile';
import type { DeviceState } from './device-state.ts';
import { nameList } from './name-list.ts';
import { resolveShare } from './resolve-share.ts';
import { stableOrder } from './stable-order.ts';

/** Which devices get the revision now, and what holds back the others. */
export interface WavePlan {
  /** Counted from 1. */
  readonly current: number;
  readonly total: number;
  readonly assign: readonly DeviceState[];
  readonly waiting: readonly Waiting[];
  /** Why no further device gets the revision. */
  readonly stopped?: {
    readonly reason: 'ErrorBudgetExhausted' | 'WaveFailed';
    readonly message: string;
  };
}

/**
 * Waves count reachable devices: an offline one neither fills a wave nor holds it up, and the last
 * wave takes the offline ones too. A wave is passed when the quorum of its reachable devices is
 * ready; failed ones are the error budget's business, but a wave in which all failed is not passed.
 */
export function planWaves(
  states: readonly DeviceState[],
  rollout: { readonly strategy: DeliveryStrategy; readonly wave: number; readonly seed: string },
): WavePlan {
  const { strategy } = rollout;
  const desired = states.length;
  const targets = strategy.waves.map((share) => Math.max(1, resolveShare(share, desired)));
  const total = targets.length;
  let current = Math.min(Math.max(1, rollout.wave), total);

  const spent = states.filter(
    ({ assigned, progress }) => assigned && progress.kind === 'failed' && progress.spent,
  );
  const budget = resolveShare(strategy.errorBudget, desired);
  if (spent.length > budget) {
    const names = nameList(spent.map(({ device }) => device.metadata.name));
    const message = `${spent.length} of ${desired} devices failed (${names}); the error budget is ${budget}`;
    const waiting = [{ what: 'rollout', why: `stopped: ${message}` }];
    return {
      current,
      total,
      assign: [],
      waiting,
      stopped: { reason: 'ErrorBudgetExhausted', message },
    };
  }

  const occupants = states.filter(
    ({ assigned, connected, progress }) => assigned && (connected || progress.kind !== 'offline'),
  );
  const candidates = states
    .filter(
      ({ assigned, deliverable, progress }) =>
        !assigned && deliverable && progress.kind === 'waiting',
    )
    .toSorted((a, b) => order(rollout.seed, a) - order(rollout.seed, b));
  const considered = occupants.length - spent.length;
  const ready = occupants.filter(({ progress }) => progress.kind === 'ready').length;
  const quorum = Math.min(considered, resolveShare(strategy.quorum, considered));
  // A quorum of nobody would let a rollout pass whose every device failed.
  const required = occupants.length === 0 ? 0 : Math.max(1, quorum);

  while (current < total && occupants.length >= (targets[current - 1] ?? desired)) {
    if (ready < required) break;
    current += 1;
  }
  // Where nobody is left to be reached, the waves that remain would gate nothing. Devices that
  // went a moment ago, as all do when the control plane restarts, are not counted as left behind.
  const leaving = states.some(({ leftLately }) => leftLately);
  if (ready > 0 && ready >= required && candidates.length === 0 && !leaving) current = total;

  if (current === total) {
    const offline = states.filter(
      ({ assigned, deliverable, progress }) =>
        !assigned && deliverable && progress.kind === 'offline',
    );
    return { current, total, assign: [...candidates, ...offline], waiting: [] };
  }
  const room = Math.max(0, (targets[current - 1] ?? desired) - occupants.length);
  const assign = candidates.slice(0, room);
  const wave = `wave ${current} of ${total}`;
  if (assign.length === 0 && considered === 0 && spent.length > 0) {
    const message = `all ${spent.length} reachable devices of ${wave} failed`;
    const waiting = [{ what: wave, why: message }];
    return { current, total, assign, waiting, stopped: { reason: 'WaveFailed', message } };
  }
  if (occupants.length + assign.length === 0) {
    return { current, total, assign, waiting: [{ what: wave, why: 'no device is reachable' }] };
  }
  const needed = Math.max(1, resolveShare(strategy.quorum, considered + assign.length));
  const why = `${ready} of ${considered + assign.length} reachable devices are ready, ${needed} needed to go on`;
  return { current, total, assign, waiting: [{ what: wave, why }] };
}

function order(seed: string, { device }: DeviceState): number {
  return stableOrder(seed, device.metadata.name);
}
