import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { constants, gunzipSync, gzipSync, inflateRawSync } from 'node:zlib';
import { DeflateEncoder, encodeTar, parseFileIndex, TarDecoder } from '@tapline/oci';
import { temporaryFolder } from '@tapline/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type PouredBottle, pourBottle } from './pour-bottle.ts';

const deflate = new DeflateEncoder();
const keg = { formula: 'jq', pkgVersion: '1.0', dependencies: [] };

/** Text of a linear congruential generator that shrinks to a third or so. */
function words(count: number, seed: number): string {
  const names = ['bottle', 'layer', 'keg', 'prefix', 'Cellar', 'image', 'of', 'the', 'a'];
  const parts: string[] = [];
  let state = seed;
  for (let at = 0; at < count; at += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    parts.push(`${names[(state >>> 16) % names.length]}${(state >>> 8) % 50}`);
  }
  return parts.join(' ');
}

function bottleTar(files: readonly { readonly path: string; readonly text: string }[]): Buffer {
  const entry = { mode: 0o644, uid: 0, gid: 0, mtimeSeconds: 9 } as const;
  return Buffer.concat([
    ...encodeTar(
      files.map(({ path, text }) => {
        const data = Buffer.from(text);
        const named = { kind: 'file', path: `jq/1.0/${path}`, size: data.length } as const;
        return { entry: { ...entry, ...named }, data };
      }),
    ),
  ]);
}

interface Poured extends PouredBottle {
  readonly layer: Buffer;
}

async function pour(bottle: Uint8Array, changedFiles: readonly string[]): Promise<Poured> {
  await using folder = await temporaryFolder();
  const bottlePath = join(folder.path, 'bottle.tar.gz');
  await writeFile(bottlePath, bottle);
  const chunks: Buffer[] = [];
  const emit = (bytes: Uint8Array): void => void chunks.push(Buffer.from(bytes));
  const tab = { changedFiles: new Set(changedFiles) };
  const request = { ...keg, tab, bottlePath, compression: 'gzip' } as const;
  return { ...pourBottle(request, { deflate, emit }), layer: Buffer.concat(chunks) };
}

function contents(tar: Uint8Array): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  let name = '';
  for (const event of new TarDecoder().push(tar)) {
    if (event.kind === 'entry') name = event.entry.path.replace(/^.*jq\/1\.0\//, '');
    if (event.kind === 'data') found.set(name, Buffer.from(event.bytes).toString());
  }
  return found;
}

test('files are what they were, whatever was copied and whatever was changed', async () => {
  const file = fc.record({
    seed: fc.nat(),
    count: fc.constantFrom(0, 1, 50, 2000, 30_000, 150_000),
    isChanged: fc.boolean(),
  });
  const level = fc.integer({ min: 1, max: 9 });
  await fc.assert(
    fc.asyncProperty(fc.array(file, { minLength: 1, maxLength: 5 }), level, async (list, how) => {
      const files = list.map(({ seed, count, isChanged }, at) => ({
        path: `share/${at}`,
        text: isChanged ? `@@HOMEBREW_PREFIX@@ ${words(count, seed)}` : words(count, seed),
      }));
      const changed = files.filter((_, at) => list[at]?.isChanged).map(({ path }) => path);
      const poured = await pour(gzipSync(bottleTar(files), { level: how }), changed);
      const found = contents(gunzipSync(poured.layer));
      for (const { path, text } of files) {
        const expected = text.replace('@@HOMEBREW_PREFIX@@', '/home/linuxbrew/.linuxbrew');
        expect(found.get(path) ?? '').toBe(expected);
      }
      const { pieces, end, pieceBytes } = parseFileIndex(gunzipSync(poured.fileIndex));
      const alone = pieces.map((start, at) =>
        inflateRawSync(poured.layer.subarray(start, pieces[at + 1] ?? end), {
          finishFlush: constants.Z_SYNC_FLUSH,
        }),
      );
      expect(Buffer.concat(alone).equals(gunzipSync(poured.layer))).toBe(true);
      expect(alone.slice(0, -1).every(({ length }) => length === pieceBytes)).toBe(true);
    }),
    { numRuns: 10 },
  );
});

test('a large file stays as small as its bottle made it', async () => {
  const tar = bottleTar([{ path: 'share/words', text: words(400_000, 1) }]);
  const bottle = gzipSync(tar, { level: 9 });
  const poured = await pour(bottle, []);
  expect(poured.layer.length).toBeLessThan(bottle.length * 1.03);
  let plain = 0;
  for (let at = 0; at < tar.length; at += 1 << 20) {
    plain += deflate.encode(tar.subarray(at, at + (1 << 20))).length;
  }
  expect(poured.layer.length).toBeLessThan(plain * 0.97);
});

test('the bytes are those of every other machine', async () => {
  // A bottle of our own encoder, as zlib does not give the same bytes everywhere.
  const tar = bottleTar([
    { path: 'share/words', text: words(100_000, 3) },
    { path: 'share/more', text: words(1000, 4) },
  ]);
  const compressed = Buffer.concat([
    gzipSync('').subarray(0, 10),
    deflate.encode(tar),
    gzipSync(tar, { level: 0 }).subarray(-8),
  ]);
  // The encoder's last block is not the last of the stream.
  const end = Buffer.from([3, 0]);
  const bottle = Buffer.concat([compressed.subarray(0, -8), end, compressed.subarray(-8)]);
  const { layer } = await pour(bottle, []);
  const digest = createHash('sha256').update(layer).digest('hex');
  // Changes with what is kept, and then compressorId has to change, too.
  expect(digest).toBe('7a26ce854b2d6ed30f0e9815893abfcd27478cf531b0dbe56f7983f78c2047b3');
});
