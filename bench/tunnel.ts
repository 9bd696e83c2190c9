import { latencyRows } from './tunnel/latency-rows.ts';
import { loopbackRows } from './tunnel/loopback-rows.ts';
import { resumeRows } from './tunnel/resume-rows.ts';
import type { BenchmarkRow, Measurement } from './result.ts';

/**
 * The tunnel beside other ways of having many streams in one connection. `only` names the parts to
 * run; TAPLINE_BENCH_PATHS is a pattern for the paths of the first, which takes minutes.
 */
export async function benchmarkTunnel(only: readonly string[]): Promise<Measurement> {
  const { TAPLINE_BENCH_PATHS: paths = '' } = process.env;
  const parts: Readonly<Record<string, () => Promise<readonly BenchmarkRow[]>>> = {
    latency: () => latencyRows(new RegExp(paths)),
    loopback: loopbackRows,
    resume: resumeRows,
  };
  const rows: BenchmarkRow[] = [];
  for (const name of only.length > 0 ? only : Object.keys(parts)) {
    const part = parts[name];
    if (part === undefined)
      throw new Error(`no part ${name}; there are ${Object.keys(parts).join(', ')}`);
    rows.push(...(await part()));
  }
  return { versions: { nghttp2: process.versions['nghttp2'] ?? 'unknown' }, rows };
}
