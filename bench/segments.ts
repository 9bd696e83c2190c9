import type { BenchmarkRow, Measurement } from './result.ts';
import { allocateRows } from './segments/allocate.ts';
import { applyRows } from './segments/apply.ts';
import { carrierRows } from './segments/carrier.ts';
import { datapathRows } from './segments/datapath.ts';
import { throughputRows } from './segments/throughput.ts';
import { verifyRows } from './segments/verify.ts';
import { wholeRows } from './segments/whole.ts';

const parts: Readonly<
  Record<string, () => readonly BenchmarkRow[] | Promise<readonly BenchmarkRow[]>>
> = {
  allocate: allocateRows,
  verify: verifyRows,
  apply: applyRows,
  carrier: carrierRows,
  whole: wholeRows,
  throughput: throughputRows,
  datapath: datapathRows,
};

/** Segments: each part measures its own rows. */
export async function benchmarkSegments(only: readonly string[]): Promise<Measurement> {
  const unknown = only.filter((name) => !Object.hasOwn(parts, name));
  if (unknown.length > 0) {
    throw new Error(
      `no part ${unknown.join(', ')} of segments; there are ${Object.keys(parts).join(', ')}`,
    );
  }
  const rows: BenchmarkRow[] = [];
  for (const [name, measure] of Object.entries(parts)) {
    if (only.length > 0 && !only.includes(name)) continue;
    const start = performance.now();
    rows.push(...(await measure()));
    const seconds = Math.round((performance.now() - start) / 1000);
    process.stderr.write(`segments: ${name} took ${seconds} s\n`);
  }
  return { versions: { node: process.version }, rows };
}
