import type { Incident, Remediation } from '@tapline/resources';

const keepMs = 7 * 86_400_000;

/** When a remediation is forgotten: a week after its end, and not while its fault stands. */
export function remediationExpiryMs({ status }: Remediation): number | undefined {
  const { finishedAt, clearedAt } = status ?? {};
  return finishedAt === undefined || clearedAt === undefined
    ? undefined
    : Date.parse(finishedAt) + keepMs;
}

export function incidentExpiryMs({ status }: Incident): number | undefined {
  return status?.resolvedAt === undefined || status.phase !== 'Resolved'
    ? undefined
    : Date.parse(status.resolvedAt) + keepMs;
}
