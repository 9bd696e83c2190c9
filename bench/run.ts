import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { benchmarks } from './list.ts';
import { mergeRows } from './merge-rows.ts';
import type { BenchmarkResult } from './result.ts';
import { formatResult } from './format-result.ts';

/**
 * `npm run bench -- NAME [--json] [--only PART,…]` runs one benchmark with its peers; `-- --list` names
 * them. With `--only` the rows of other parts stay as they were measured before.
 */
const [name = '--list', ...flags] = process.argv.slice(2);
if (name === '--list') {
  for (const [key, entry] of Object.entries(benchmarks)) {
    process.stdout.write(`${key.padEnd(14)}${entry.description}\n`);
  }
} else {
  const entry = benchmarks[name];
  if (entry === undefined) {
    process.stderr.write(
      `bench: no benchmark ${name}; there are ${Object.keys(benchmarks).join(', ')}\n`,
    );
    process.exit(2);
  }
  const { values } = parseArgs({
    args: flags,
    options: { only: { type: 'string', multiple: true }, json: { type: 'boolean' } },
  });
  const only = (values.only ?? []).flatMap((parts) => parts.split(','));
  // Results are written at the end: a run that somebody stops, or that waits for nothing, says so.
  let written = false;
  process.once('exit', (code) => {
    if (!written) process.stderr.write(`bench: ${name} ended with ${code} and has no result\n`);
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  const { versions, rows } = await entry.run(only);
  const file = join(dirname(fileURLToPath(import.meta.url)), 'results', `${name}.json`);
  const processor = cpus();
  const result: BenchmarkResult = {
    name,
    date: new Date().toISOString(),
    machine: `${processor.length} × ${processor[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}`,
    versions: { node: process.version, ...versions },
    rows: only.length > 0 && existsSync(file) ? mergeRows(earlierRows(file), rows) : rows,
  };
  mkdirSync(dirname(file), { recursive: true });
  const text = `${JSON.stringify(result, undefined, 2)}\n`;
  writeFileSync(file, text);
  written = true;
  process.stdout.write(values.json === true ? text : formatResult(result));
}

function earlierRows(file: string): BenchmarkResult['rows'] {
  return (JSON.parse(readFileSync(file, 'utf8')) as BenchmarkResult).rows;
}
