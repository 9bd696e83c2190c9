import type { OpsTarget, Playbook } from '@tapline/resources';
import { isSelected } from '../playbooks/match-playbook.ts';
import { type Fleet, objectsOf } from '../fleet.ts';
import type { Signal } from '../signals/signal.ts';

/** What is due by the clock in this period of each scheduled playbook; the same for the whole period. */
export function dueSignals(
  playbooks: readonly Playbook[],
  fleet: Fleet,
  nowMs: number,
): readonly Signal[] {
  return playbooks.flatMap((playbook) => {
    const { schedule } = playbook.spec.on;
    // A selector is demanded where it is written; here it is never taken for all.
    if (schedule === undefined || playbook.spec.target.selector === undefined) return [];
    const periodMs = schedule.everySeconds * 1000;
    const tick = Math.floor(nowMs / periodMs);
    const { kind } = playbook.spec.target;
    return [...objectsOf(fleet, kind).keys()]
      .filter((name) => isSelected(playbook.spec.target, { kind, name }, fleet))
      .map((name) => signalOf(playbook.metadata.name, { kind, name }, { tick, periodMs }));
  });
}

/** What a due signal becomes once it was decided about: it does not wait for a second time. */
export function spent(signal: Signal): Signal {
  return { ...signal, state: 'ok', order: signal.order + 0.5 };
}

function signalOf(
  playbook: string,
  target: OpsTarget,
  { tick, periodMs }: { readonly tick: number; readonly periodMs: number },
): Signal {
  return {
    source: 'schedule',
    key: `schedule/${playbook}/${target.kind}/${target.name}`,
    targets: [target],
    topic: playbook,
    state: 'firing',
    says: `due every ${periodMs / 1000} s`,
    sinceMs: tick * periodMs,
    order: tick,
    handled: false,
    flapping: false,
  };
}
