import type { Measurement } from './result.ts';
import { fleetRows } from './tunnel/fleet-rows.ts';

/** TAPLINE_BENCH_TUNNELS is how many; ten thousand take two minutes. */
export async function benchmarkTunnelFleet(): Promise<Measurement> {
  const tunnels = Number(process.env['TAPLINE_BENCH_TUNNELS'] ?? 10_000);
  return { versions: { openssl: process.versions.openssl }, rows: await fleetRows(tunnels) };
}
