import {
  matchesLabels,
  type OpsTarget,
  parseLabelSelector,
  type Playbook,
} from '@tapline/resources';
import { findTarget, type Fleet } from '../fleet.ts';
import type { Signal } from '../signals/signal.ts';

/** The object that a playbook would act on because of a signal; undefined where it is none of its. */
export function matchPlaybook(
  { metadata, spec }: Playbook,
  signal: Signal,
  fleet: Fleet,
): OpsTarget | undefined {
  if (!answersTo(spec.on, signal)) return undefined;
  if (signal.source === 'schedule' && signal.topic !== metadata.name) return undefined;
  const target = signal.targets.find(({ kind }) => kind === spec.target.kind);
  return target !== undefined && isSelected(spec.target, target, fleet) ? target : undefined;
}

/** Whether the object is there, and the selector of the playbook takes it. */
export function isSelected(
  { selector }: Playbook['spec']['target'],
  target: OpsTarget,
  fleet: Fleet,
): boolean {
  const object = findTarget(fleet, target);
  if (object === undefined || object.metadata.deletionTimestamp !== undefined) return false;
  return (
    selector === undefined || matchesLabels(parseLabelSelector(selector), object.metadata.labels)
  );
}

function answersTo(on: Playbook['spec']['on'], signal: Signal): boolean {
  const { icinga, alert, condition } = on;
  switch (signal.source) {
    case 'icinga': {
      if (icinga === undefined || !isNamed(icinga.check, signal.topic)) return false;
      const states = new Set<string>(icinga.states);
      return states.has(signal.state) || (signal.flapping && states.has('flapping'));
    }
    case 'alertmanager':
      return alert?.name === signal.topic && signal.state === 'firing';
    case 'condition':
      return (
        condition?.type === signal.topic &&
        condition.status === signal.state &&
        (condition.reasons === undefined || condition.reasons.includes(signal.reason ?? ''))
      );
    case 'schedule':
      return on.schedule !== undefined && signal.state === 'firing';
    case 'person':
      return false;
  }
}

function isNamed(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name;
}
