import { open, readFile, rename, writeFile } from 'node:fs/promises';
import { isSystemError } from '@tapline/base';

/** Lines that are on disk when they are answered. */
export interface LineLog extends AsyncDisposable {
  append(line: string): Promise<void>;
}

/** The lines of a log; none where there is no file. The last one may be torn by a crash. */
export async function readLines(path: string): Promise<readonly string[]> {
  try {
    return (await readFile(path, 'utf8')).split('\n');
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return [];
    throw error;
  }
}

/** Begins a log anew with `lines`. */
export async function openLineLog(path: string, lines: readonly string[]): Promise<LineLog> {
  const text = lines.map((line) => `${line}\n`).join('');
  await writeFile(`${path}.new`, text, { mode: 0o600, flush: true });
  await rename(`${path}.new`, path);
  const file = await open(path, 'a', 0o600);
  let waiting: string[] = [];
  let writing: Promise<void> | undefined;
  let next: Promise<void> | undefined;

  /** Writes what has come together, then what came meanwhile: one sync for many lines. */
  async function write(): Promise<void> {
    const together = waiting.join('');
    waiting = [];
    await file.appendFile(together);
    await file.datasync();
  }
  return {
    append(line) {
      waiting.push(`${line}\n`);
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
