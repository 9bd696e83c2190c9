import type { Measurement } from './result.ts';
import { allocateRows } from './segments/allocate.ts';
import { applyRows } from './segments/apply.ts';
import { carrierRows } from './segments/carrier.ts';
import { datapathRows } from './segments/datapath.ts';
import { throughputRows } from './segments/throughput.ts';
import { verifyRows } from './segments/verify.ts';

/** Segments: each part measures its own rows. */
export async function benchmarkSegments(): Promise<Measurement> {
  return {
    versions: { node: process.version },
    rows: [
      ...allocateRows(),
      ...verifyRows(),
      ...(await applyRows()),
      ...(await carrierRows()),
      ...(await throughputRows()),
      ...(await datapathRows()),
    ],
  };
}
