import { expect, test } from 'vitest';
import { PageLog } from './page-log.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

async function textOf(parts: AsyncIterable<Uint8Array>): Promise<string> {
  let text = '';
  for await (const part of parts) text += new TextDecoder().decode(part);
  return text;
}

test('keeps the end of what was printed, and answers its last lines', async () => {
  const log = new PageLog({ maxBytes: 8 });
  for (const line of ['one\n', 'two\n', 'three\n', 'four\n']) log.append(bytesOf(line));
  const { signal } = new AbortController();
  expect(await textOf(log.read({ follow: false, signal }))).toBe('three\nfour\n');
  expect(await textOf(log.read({ follow: false, tailLines: 1, signal }))).toBe('four\n');
  expect(await textOf(log.read({ follow: false, tailLines: 0, signal }))).toBe('');
});

test('is followed until its end, or until nobody wants it', async () => {
  const log = new PageLog({ maxBytes: 100 });
  log.append(bytesOf('begins\n'));
  const leaving = new AbortController();
  const left = textOf(log.read({ follow: true, signal: leaving.signal }));
  const followed = textOf(log.read({ follow: true, signal: new AbortController().signal }));
  await Promise.resolve();
  leaving.abort();
  expect(await left).toBe('begins\n');
  log.append(bytesOf('goes on\n'));
  log.end();
  expect(await followed).toBe('begins\ngoes on\n');
});
