import type { Remediation } from '@tapline/resources';
import { targetText } from '../fleet.ts';

const maxSteps = 20;
const maxEvidence = 5;

/** What waits for a person, in words: the same wherever it is shown. */
export function approvalText({ metadata, spec, status = {} }: Remediation): string {
  const { plan = [], evidence = [], digest = '' } = status;
  const steps = plan.slice(0, maxSteps).map(({ text }, at) => `${at + 1}. ${text}`);
  const more = plan.length > maxSteps ? [`… and ${plan.length - maxSteps} more`] : [];
  return [
    `${spec.playbook} on ${targetText(spec.target)} waits for an approval: ${spec.reason}`,
    ...evidence.slice(0, maxEvidence).map(({ source, says }) => `${source}: ${says}`),
    ...(spec.requestedBy === undefined ? [] : [`asked for by ${spec.requestedBy}`]),
    'It would:',
    ...steps,
    ...more,
    `${metadata.name} ${digest.slice(0, 12)}`,
  ].join('\n');
}
