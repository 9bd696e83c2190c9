import type { Verdict } from '@tapline/segments';

/** Of a verdict on all segments what is about one; what is open elsewhere is not said of this one. */
export function verdictOfSegment(verdict: Verdict, segment: string): Verdict {
  const findings = verdict.findings.filter((finding) => finding.segment.name === segment);
  const has = (kind: string): boolean => findings.some((finding) => finding.kind === kind);
  const result = has('leak')
    ? 'open'
    : has('unproven')
      ? 'unproven'
      : has('degraded')
        ? 'degraded'
        : 'verified';
  // The certificate is of all of them, and is none where any of them is open.
  const { certificate: _, ...rest } = verdict;
  return { ...rest, result, findings };
}
