import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '@tapline/base';
import { processAt } from './process-at.ts';

/** Which process an edge cache is, and as what it was started: ids are used again. */
export interface EdgeRecord {
  readonly pid: number;
  readonly start: number;
  readonly url: string;
  readonly command: readonly string[];
}

const stopMs = 5000;

export function edgeRecordFile(directory: string): string {
  return join(directory, 'edge.pid');
}

/** The edge cache that runs out of this folder; undefined where none does. */
export async function readEdgeRecord(directory: string): Promise<EdgeRecord | undefined> {
  let record: EdgeRecord;
  try {
    record = JSON.parse(await readFile(edgeRecordFile(directory), 'utf8')) as EdgeRecord;
  } catch {
    return undefined;
  }
  return processAt(record.pid) === record.start ? record : undefined;
}

/** Ends the edge cache that runs out of this folder, as on a node that is to serve no more. */
export async function endEdge(
  directory: string,
  { clock }: { readonly clock: Clock },
): Promise<void> {
  const record = await readEdgeRecord(directory);
  if (record === undefined) return;
  const isThere = (): boolean => processAt(record.pid) === record.start;
  process.kill(record.pid, 'SIGTERM');
  const until = clock.monotonic() + stopMs;
  while (isThere()) {
    if (clock.monotonic() > until) process.kill(record.pid, 'SIGKILL');
    await clock.sleep(20);
  }
  await rm(edgeRecordFile(directory), { force: true });
}
