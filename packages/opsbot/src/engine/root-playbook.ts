import type { Remediation } from '@tapline/resources';
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
