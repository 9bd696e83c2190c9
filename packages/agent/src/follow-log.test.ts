import { appendFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '@tapline/base';
import { temporaryFolder, type TemporaryFolder } from '@tapline/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { followLog } from './follow-log.ts';

let folder: TemporaryFolder;
let path: string;
beforeEach(async () => {
  folder = await temporaryFolder();
  path = join(folder.path, 'log');
});
afterEach(() => folder[Symbol.asyncDispose]());

async function read(tailLines?: number): Promise<string> {
  const { signal } = new AbortController();
  const options = { follow: false, signal, clock: systemClock };
  let text = '';
  for await (const chunk of followLog(
    path,
    tailLines === undefined ? options : { ...options, tailLines },
  )) {
    text += Buffer.from(chunk).toString();
  }
  return text;
}

test('the whole of it, or its last lines', async () => {
  await writeFile(path, 'one\ntwo\nthree\n');
  expect(await read()).toBe('one\ntwo\nthree\n');
  expect(await read(2)).toBe('two\nthree\n');
  expect(await read(9)).toBe('one\ntwo\nthree\n');
  expect(await read(0)).toBe('');
});

test('last lines that begin before the block that is looked at first', async () => {
  const lines = Array.from({ length: 30_000 }, (_, index) => `line ${index}\n`);
  await writeFile(path, lines.join(''));
  expect(await read(20_000)).toBe(lines.slice(-20_000).join(''));
});

test('what comes, also after the log was cut', async () => {
  await writeFile(path, 'old\n');
  const stop = new AbortController();
  let text = '';
  const reading = (async () => {
    const options = { follow: true, signal: stop.signal, clock: systemClock };
    for await (const chunk of followLog(path, options)) text += Buffer.from(chunk).toString();
  })();
  await vi.waitFor(() => expect(text).toBe('old\n'));
  await appendFile(path, 'new\n');
  await vi.waitFor(() => expect(text).toBe('old\nnew\n'));
  await truncate(path, 0);
  await systemClock.sleep(300);
  await appendFile(path, 'cut\n');
  await vi.waitFor(() => expect(text).toBe('old\nnew\ncut\n'));
  stop.abort(new Error('enough'));
  await expect(reading).rejects.toThrow('enough');
});
