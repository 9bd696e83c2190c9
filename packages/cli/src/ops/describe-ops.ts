import { formatAge } from '@tapline/base';
import type { Incident, Remediation } from '@tapline/resources';
import { formatTable } from '../output/format-table.ts';

export function describeIncident({ metadata, spec, status = {} }: Incident, nowMs: number): string {
  const { phase = 'Open', severity = 'warning', summary = '', targets = 0 } = status;
  const { faults = [], held = [], remediations = [] } = status;
  return [
    `incident ${metadata.name}: ${phase}, ${severity}, since ${formatAge(spec.openedAt, nowMs)}\n`,
    `cause: ${spec.cause.kind} ${spec.cause.name}\n${summary}\n`,
    `\nfaults of ${targets} objects\n`,
    formatTable(
      ['TARGET', 'SOURCE', 'SINCE', 'SAYS'],
      faults.map(({ target, evidence }) => [
        target,
        evidence.source,
        formatAge(evidence.since, nowMs),
        evidence.says,
      ]),
    ),
    ...(remediations.length === 0
      ? []
      : [`\ndone: ${remediations.map((name) => `tapline ops show ${name}`).join('\n      ')}\n`]),
    ...(held.length === 0
      ? []
      : [
          '\nheld back\n',
          formatTable(
            ['PLAYBOOK', 'TARGET', 'BY', 'WHY'],
            held.map(({ playbook, target, guard, says }) => [playbook, target, guard, says]),
          ),
        ]),
  ].join('');
}

export function describeRemediation(
  { metadata, spec, status = {} }: Remediation,
  nowMs: number,
): string {
  const { phase = 'Waiting', outcome, plan = [], steps = [], digest } = status;
  const { evidence = [], decisions = [], approvals = [], error, escalated } = status;
  const who = spec.requestedBy === undefined ? '' : `, asked for by ${spec.requestedBy}`;
  const held = decisions.filter(({ allowed }) => !allowed);
  return [
    `remediation ${metadata.name}: ${phase}${outcome === undefined ? '' : `, ${outcome}`}\n`,
    `${spec.playbook} on ${spec.target.kind} ${spec.target.name}${who}, because ${spec.reason}\n`,
    ...(evidence.length === 0 ? [] : ['\nseen\n']),
    ...evidence.map(
      ({ source, says, since }) => `  ${source}: ${says} (${formatAge(since, nowMs)})\n`,
    ),
    '\nplan\n',
    ...plan.map(({ text, undo }, at) => {
      const step = steps[at];
      const back = undo === undefined ? ', cannot be taken back' : '';
      const says = step?.says === undefined ? '' : `: ${step.says}`;
      return `  ${at + 1}. ${text}${back} [${step?.state ?? 'Pending'}${says}]\n`;
    }),
    ...(held.length === 0 ? [] : ['\nheld by\n']),
    ...held.map(({ guard, says }) => `  ${guard}: ${says}\n`),
    ...(held.length > 0 || decisions.length === 0
      ? []
      : [`\nallowed by ${decisions.length} guard rails; -o json says what each said\n`]),
    ...(approvals.length === 0 ? [] : ['\napprovals\n']),
    ...approvals.map(({ user, decision, at, reason }) => {
      const why = reason === undefined ? '' : `: ${reason}`;
      return `  ${user} ${decision.toLowerCase()} it ${formatAge(at, nowMs)} ago${why}\n`;
    }),
    ...(error === undefined ? [] : [`\nfailed: ${error.code}: ${error.message}\n`]),
    ...(escalated === undefined ? [] : [`next: ${escalated}\n`]),
    ...(phase === 'AwaitingApproval' && digest !== undefined
      ? [`\nto approve just this: tapline ops approve ${metadata.name} ${digest.slice(0, 12)}\n`]
      : []),
  ].join('');
}
