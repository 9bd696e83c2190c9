import type { Remediation } from '@tapline/resources';
import { type Fault, faultKey } from '../playbooks/fault.ts';
import type { OpsInformers } from './ops-informers.ts';

/** The playbook that the fault is of: what is tried next is judged by whether that one is over. */
export function rootPlaybook(
  remediation: Remediation,
  { remediations }: Pick<OpsInformers, 'remediations'>,
): string {
  let at = remediation;
  for (let rungs = 0; rungs < 32 && at.spec.escalatedFrom !== undefined; rungs += 1) {
    const before = remediations.get(at.spec.escalatedFrom);
    if (before === undefined) break;
    at = before;
  }
  return at.spec.playbook;
}

/**
 * The fault that a remediation is about: the one that the ladder began with, or of what is tried next the
 * one that its own playbook is there for. A segment that cannot be applied becomes one whose numbers are
 * somebody else's.
 */
export function faultOf(
  remediation: Remediation,
  about: {
    readonly faults: ReadonlyMap<string, Fault>;
    readonly informers: Pick<OpsInformers, 'remediations'>;
  },
): Fault | undefined {
  const { target, playbook } = remediation.spec;
  const root = faultKey(rootPlaybook(remediation, about.informers), target);
  return about.faults.get(root) ?? about.faults.get(faultKey(playbook, target));
}
