import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchmarkResult, BenchmarkRow } from '../../bench/result.ts';

const shown = ['deploy', 'api'] as const;
const begin = '<!-- benchmarks: from bench/results by `npm run generate` -->';
const end = '<!-- end of benchmarks -->';

/** The README with its benchmark tables as the committed results say. */
export function withBenchmarkTables(root: string): string {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const [before, rest = ''] = readme.split(begin);
  const [, after] = rest.split(end);
  if (before === undefined || after === undefined)
    throw new Error(`README.md has no ${begin} … ${end}`);
  const tables = shown.map((name) => benchmarkTable(readResult(root, `${name}.json`)));
  return `${before}${begin}\n\n${tables.join('\n')}\n${end}${after}`;
}

/** All committed results, a section each. */
export function benchmarkPage(root: string): string {
  const sections = readdirSync(join(root, 'bench', 'results'))
    .filter((name) => name.endsWith('.json'))
    .toSorted()
    .map((name) => readResult(root, name))
    .map((result) => `## ${result.name}\n\n${benchmarkTable(result)}`);
  return `# Benchmarks

Generated from bench/results by \`npm run generate\`. Each command measures Tapline and its peers in one run; on two noisy cores the ratios are the results. A goal is on the ratio where it ends in ×, else on Tapline's own figure.

${sections.join('\n')}`;
}

function readResult(root: string, file: string): BenchmarkResult {
  const text = readFileSync(join(root, 'bench', 'results', file), 'utf8');
  return JSON.parse(text) as BenchmarkResult;
}

/** One result as a table; what does not hold says so. */
export function benchmarkTable(result: BenchmarkResult): string {
  const rows = result.rows.map((row) => {
    const peers = Object.entries(row.peers).map(([peer, value]) =>
      value === undefined ? `${peer} could not run` : `${peer} ${figure(value)} ${row.unit}`,
    );
    const cells = [
      row.metric,
      `${figure(row.ours)} ${row.unit}`,
      [...peers, ...(row.note === undefined ? [] : [row.note])].join('; '),
      ratioOf(row),
      goalOf(row),
    ];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
  });
  return `\`npm run bench -- ${result.name}\`, ${result.date.slice(0, 10)}, ${result.machine}:

| | Tapline | peer | ratio | goal |
|---|---|---|---|---|
${rows.join('')}`;
}

function ratioOf({ ratio }: BenchmarkRow): string {
  return ratio === undefined ? '' : `${ratio.toFixed(2)}×`;
}

function goalOf({ better, goal, goalOn, holds, unit }: BenchmarkRow): string {
  if (goal === undefined) return '';
  const bound = `${better === 'lower' ? '≤' : '≥'} ${figure(goal)}${goalOn === 'ours' ? ` ${unit}` : '×'}`;
  return holds === true ? bound : `${bound}: missed`;
}

function figure(value: number): string {
  return value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}
