import type { Finding, Hop, Verdict } from './verdict.ts';

const words: Readonly<Record<Verdict['result'], string>> = {
  verified: 'verified: no port reaches one that it must not',
  degraded: 'degraded: nothing is open, but less than two layers keep it so',
  unproven: 'unproven: not all of it could be read',
  open: 'OPEN: frames can go where no policy lets them',
};

/** For a terminal: one line of summary, then each finding with its path. */
export function formatVerdict(verdict: Verdict): string {
  const { nodes, segments, ports, facts } = verdict;
  const head = `${words[verdict.result]} (${count(nodes, 'node')}, ${count(segments, 'segment')}, ${count(ports, 'port')}, ${count(facts, 'fact')})`;
  return [head, ...verdict.findings.flatMap(formatFinding)].map((line) => `${line}\n`).join('');
}

function formatFinding(finding: Finding): readonly string[] {
  return [
    `${finding.kind} ${finding.code}: ${finding.message}`,
    ...finding.path.map((hop, index) => `  ${index + 1}. ${formatHop(hop)}`),
  ];
}

function formatHop(hop: Hop): string {
  const mark = hop.mark === undefined ? '' : `, mark ${hop.mark}`;
  const by = hop.by === undefined ? '' : ` (${hop.by})`;
  return `${hop.node} ${hop.at} ${hop.device}${mark}: ${hop.text}${by}`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
