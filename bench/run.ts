import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { benchmarks } from './list.ts';
import type { BenchmarkResult } from './result.ts';
import { formatResult } from './format-result.ts';

/** `npm run bench -- NAME [--json]` runs one benchmark with its peers; `-- --list` names them. */
const [name = '--list', ...flags] = process.argv.slice(2);
if (name === '--list') {
  for (const [key, entry] of Object.entries(benchmarks)) {
    process.stdout.write(`${key.padEnd(12)}${entry.description}\n`);
  }
} else {
  const entry = benchmarks[name];
  if (entry === undefined) {
    process.stderr.write(
      `bench: no benchmark ${name}; there are ${Object.keys(benchmarks).join(', ')}\n`,
    );
    process.exit(2);
  }
  const { versions, rows } = await entry.run();
  const processor = cpus();
  const result: BenchmarkResult = {
    name,
    date: new Date().toISOString(),
    machine: `${processor.length} × ${processor[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}`,
    versions: { node: process.version, ...versions },
    rows,
  };
  const file = join(dirname(fileURLToPath(import.meta.url)), 'results', `${name}.json`);
  mkdirSync(dirname(file), { recursive: true });
  const text = `${JSON.stringify(result, undefined, 2)}\n`;
  writeFileSync(file, text);
  process.stdout.write(flags.includes('--json') ? text : formatResult(result));
}
