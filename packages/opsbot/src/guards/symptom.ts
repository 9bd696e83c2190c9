import { ancestorsOf, graphKey } from '../graph/dependencies.ts';
import { targetText } from '../fleet.ts';
import { type Guard, hold, pass } from './guard.ts';

/** What is only the consequence of another fault that has a playbook itself is left to that one. */
export const symptom: Guard = ({ target, fleet, faults, playbook }) => {
  const above = new Set(ancestorsOf(fleet, target).slice(1).map(graphKey));
  const cause = [...faults.values()].find(
    (fault) =>
      above.has(graphKey(fault.target)) &&
      fault.playbook.metadata.name !== playbook.metadata.name &&
      fault.playbook.spec.paused !== true &&
      fault.playbook.spec.mode !== 'Observe' &&
      !fault.playbook.spec.steps.every(({ action }) => action === 'notify'),
  );
  return cause === undefined
    ? pass('no other fault explains it')
    : hold(
        `${targetText(cause.target)} explains it, and ${cause.playbook.metadata.name} is there for that`,
      );
};
