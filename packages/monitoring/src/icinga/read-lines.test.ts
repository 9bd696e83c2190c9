import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readLines } from './read-lines.ts';

async function* pieces(bytes: Uint8Array, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  let from = 0;
  for (const cut of [...cuts.map((at) => at % (bytes.length + 1)), bytes.length].toSorted(
    (a, b) => a - b,
  )) {
    yield bytes.subarray(from, cut);
    from = cut;
  }
}

async function collect(lines: AsyncIterable<string>): Promise<readonly string[]> {
  const all: string[] = [];
  for await (const line of lines) all.push(line);
  return all;
}

test('lines are the same however the stream is cut', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: 'grapheme' }).filter((line) => !line.includes('\n'))),
      fc.array(fc.nat()),
      async (lines, cuts) => {
        const bytes = new TextEncoder().encode(lines.map((line) => `${line}\n`).join(''));
        const read = await collect(readLines(pieces(bytes, cuts), 1e6));
        expect(read).toEqual(lines.filter((line) => line.trim() !== ''));
      },
    ),
  );
});

test('a line without an end is bounded', async () => {
  const endless = pieces(new Uint8Array(5000), [1000, 2000, 3000]);
  await expect(collect(readLines(endless, 2500))).rejects.toThrow('more than 2500 bytes');
});
