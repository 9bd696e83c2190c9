import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isRecord } from '@tapline/base';
import { openLineLog, readLines } from './line-log.ts';
import type { PurgeEntry, PurgeTable } from './purge-table.ts';

/** Keeps purges across restarts: a line each, on disk before the purge is answered. */
export interface PurgeLog extends AsyncDisposable {
  append(entry: PurgeEntry): Promise<void>;
}

/** Restores what was purged before, into `purges`, and begins a log without what no longer counts. */
export async function openPurgeLog(init: {
  readonly directory: string;
  readonly purges: PurgeTable;
}): Promise<PurgeLog> {
  const { directory, purges } = init;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, 'purges.log');
  for (const line of await readLines(path)) {
    const entry = parseLine(line);
    if (entry !== undefined) purges.restore(entry);
  }
  const log = await openLineLog(
    path,
    purges.entries().map((entry) => JSON.stringify(entry)),
  );
  return {
    append: (entry) => log.append(JSON.stringify(entry)),
    [Symbol.asyncDispose]: () => log[Symbol.asyncDispose](),
  };
}

/** Undefined for the line that a crash tore. */
function parseLine(line: string): PurgeEntry | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (!isRecord(value)) return undefined;
  const { name, mode, generation } = value;
  if (typeof name !== 'string' || typeof generation !== 'number') return undefined;
  if (mode !== 'hard' && mode !== 'soft') return undefined;
  return { name, mode, generation };
}
