import { mkdir, open, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isRecord, isSystemError } from '@tapline/base';
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
  for (const line of (await readIfThere(path)).split('\n')) {
    const entry = parseLine(line);
    if (entry !== undefined) purges.restore(entry);
  }
  const text = purges.entries().map(toLine).join('');
  await writeFile(`${path}.new`, text, { mode: 0o600, flush: true });
  await rename(`${path}.new`, path);
  const file = await open(path, 'a', 0o600);
  let waiting: string[] = [];
  let writing: Promise<void> | undefined;

  /** Writes what has come together, then what came meanwhile: one sync for many purges. */
  async function write(): Promise<void> {
    const lines = waiting.join('');
    waiting = [];
    await file.appendFile(lines);
    await file.datasync();
  }
  let next: Promise<void> | undefined;
  return {
    append(entry) {
      waiting.push(toLine(entry));
      if (writing === undefined) {
        writing = write().finally(() => (writing = undefined));
        return writing;
      }
      next ??= writing
        .catch(() => undefined)
        .then(() => {
          next = undefined;
          writing = write().finally(() => (writing = undefined));
          return writing;
        });
      return next;
    },
    async [Symbol.asyncDispose]() {
      await Promise.allSettled([writing, next]);
      await file.close();
    },
  };
}

function toLine(entry: PurgeEntry): string {
  return `${JSON.stringify(entry)}\n`;
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

async function readIfThere(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return '';
    throw error;
  }
}
