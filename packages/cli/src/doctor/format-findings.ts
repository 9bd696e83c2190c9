import type { Finding } from './finding.ts';

/** Findings as text: a line each, and below it what to do. */
export function formatFindings(server: URL, findings: readonly Finding[]): string {
  const lines = findings.flatMap(({ level, code, message, hint }) => [
    `${level.padEnd(8)}${message} [${code}]\n`,
    ...(hint === undefined || level === 'ok' ? [] : [`${' '.repeat(8)}→ ${hint}\n`]),
  ]);
  return `the way to ${server.origin}\n${lines.join('')}`;
}
