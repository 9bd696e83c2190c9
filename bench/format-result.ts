import type { BenchmarkResult } from './result.ts';

/** The result as a table for a terminal. */
export function formatResult(result: BenchmarkResult): string {
  const rows = result.rows.map((row) => [
    row.metric,
    `${figure(row.ours)} ${row.unit}`,
    Object.entries(row.peers)
      .map(
        ([peer, value]) =>
          `${peer} ${value === undefined ? 'could not run' : `${figure(value)} ${row.unit}`}`,
      )
      .join(', '),
    row.ratio === undefined ? '' : `${row.ratio.toFixed(2)}×`,
    row.goal === undefined
      ? ''
      : `${row.better === 'lower' ? '≤' : '≥'} ${figure(row.goal)}${row.goalOn === 'ours' ? ` ${row.unit}` : '×'}`,
    row.holds === undefined ? '' : row.holds ? 'holds' : 'does not hold',
    row.note ?? '',
  ]);
  const header = ['metric', 'ours', 'peers', 'ratio', 'goal', '', ''];
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)),
  );
  const lines = [header, ...rows].map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return `${result.name}, ${result.date}, ${result.machine}\n${lines.join('\n')}\n`;
}

function figure(value: number): string {
  if (Math.abs(value) >= 100) return value.toFixed(0);
  return value.toPrecision(3);
}
