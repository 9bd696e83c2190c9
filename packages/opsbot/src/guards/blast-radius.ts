import { objectsOf } from '../fleet.ts';
import { graphKey } from '../graph/dependencies.ts';
import { isSelected } from '../playbooks/match-playbook.ts';
import { type Guard, hold, isRecovery, pass } from './guard.ts';

/**
 * Where much is in trouble at once, the fault is not in what is in trouble, or it is in what we see:
 * then a person looks first. Giving back is always allowed.
 */
export const blastRadius: Guard = ({ playbook, faults, fleet }) => {
  const { maxTargets, maxTargetPercent } = playbook.spec.guards;
  const { name } = playbook.metadata;
  const inTrouble = new Set(
    [...faults.values()]
      .filter((fault) => fault.playbook.metadata.name === name)
      .map(({ target }) => graphKey(target)),
  ).size;
  const { kind } = playbook.spec.target;
  const all = [...objectsOf(fleet, kind).keys()].filter((one) =>
    isSelected(playbook.spec.target, { kind, name: one }, fleet),
  ).length;
  const percent = all === 0 ? 100 : (100 * inTrouble) / all;
  const says = `${inTrouble} of ${all} are in trouble; the limit is ${maxTargets} or ${maxTargetPercent} %`;
  if (inTrouble <= maxTargets || percent <= maxTargetPercent) return pass(says);
  return isRecovery(playbook) ? pass(`${says}, which recovery passes`) : hold(says);
};
