import { idleRows } from './tunnel/idle-rows.ts';
import { latencyRows } from './tunnel/latency-rows.ts';
import { loopbackRows } from './tunnel/loopback-rows.ts';
import { resumeRows } from './tunnel/resume-rows.ts';
import type { BenchmarkRow, Measurement } from './result.ts';

/**
 * The tunnel beside other ways of having many streams in one connection. TAPLINE_BENCH_PARTS names
 * the parts to run, with commas; TAPLINE_BENCH_PATHS is a pattern for the paths of the first.
 */
export async function benchmarkTunnel(): Promise<Measurement> {
  const { TAPLINE_BENCH_PARTS: wanted, TAPLINE_BENCH_PATHS: paths = '' } = process.env;
  const parts: Readonly<Record<string, () => Promise<readonly BenchmarkRow[]>>> = {
    latency: () => latencyRows(new RegExp(paths)),
    loopback: loopbackRows,
    resume: resumeRows,
    idle: idleRows,
  };
  const rows: BenchmarkRow[] = [];
  for (const name of wanted?.split(',') ?? Object.keys(parts)) {
    rows.push(...((await parts[name]?.()) ?? []));
  }
  return { versions: { nghttp2: process.versions['nghttp2'] ?? 'unknown' }, rows };
}
