import { ancestorsOf } from '../graph/dependencies.ts';
import { findTarget, targetText } from '../fleet.ts';
import { type Guard, hold, pass } from './guard.ts';

/** Label of an object that people work on; also what needs it is left alone. */
export const maintenanceLabel = 'ops.tapline.dev/maintenance';

/** Nobody gets in the way of people: labels, acknowledgements and downtimes say where they work. */
export const maintenance: Guard = ({ target, fleet, evidence }) => {
  const handled = evidence.find(({ signal }) => signal.handled);
  if (handled !== undefined) {
    return hold(`${handled.signal.key} is acknowledged or in a downtime: a person has it`);
  }
  for (const node of ancestorsOf(fleet, target)) {
    if (node.kind === 'Zone' || node.kind === 'Fleet') continue;
    const value = findTarget(fleet, { kind: node.kind, name: node.name })?.metadata.labels?.[
      maintenanceLabel
    ];
    if (value !== undefined && value !== 'false') {
      return hold(`${targetText(node)} is in maintenance (${maintenanceLabel}=${value})`);
    }
  }
  return pass('no maintenance');
};
