import { type Guard, hold, isRecovery, pass } from './guard.ts';

/**
 * Where much is in trouble at once, the fault is not in what is in trouble, or it is in what we see:
 * then a person looks first. Giving back is always allowed.
 */
export const blastRadius: Guard = ({ playbook, extent }) => {
  const { maxTargets, maxTargetPercent } = playbook.spec.guards;
  const { inTrouble, all } = extent(playbook);
  const percent = all === 0 ? 100 : (100 * inTrouble) / all;
  const says = `${inTrouble} of ${all} are in trouble; the limit is ${maxTargets} or ${maxTargetPercent} %`;
  if (inTrouble <= maxTargets || percent <= maxTargetPercent) return pass(says);
  return isRecovery(playbook) ? pass(`${says}, which recovery passes`) : hold(says);
};
