import type { Measurement } from './result.ts';
import { datapathRows } from './segments/datapath.ts';

/** Segments: each part measures its own rows. */
export async function benchmarkSegments(): Promise<Measurement> {
  return { versions: { node: process.version }, rows: await datapathRows() };
}
