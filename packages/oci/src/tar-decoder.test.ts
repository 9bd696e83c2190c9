import { isTaplineError } from '@tapline/base';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeTar, type TarMember } from './encode-tar.ts';
import { encodePaxRecords } from './pax-records.ts';
import { TarDecoder, type TarEvent } from './tar-decoder.ts';
import type { TarEntry } from './tar-entry.ts';

interface Decoded {
  readonly entry: TarEntry;
  readonly data: Buffer;
}

function decode(chunks: Iterable<Uint8Array>): readonly Decoded[] {
  const decoder = new TarDecoder();
  const decoded: { entry: TarEntry; data: Buffer }[] = [];
  let ends = 0;
  const take = (events: readonly TarEvent[]): void => {
    for (const event of events) {
      const last = decoded.at(-1);
      if (event.kind === 'entry') decoded.push({ entry: event.entry, data: Buffer.alloc(0) });
      else if (event.kind === 'data' && last) last.data = Buffer.concat([last.data, event.bytes]);
      else ends += 1;
    }
  };
  for (const chunk of chunks) take(decoder.push(chunk));
  take(decoder.end());
  // One end for each entry, one for the archive.
  expect(ends).toBe(decoded.length + 1);
  return decoded;
}

const code = (value: string): unknown => expect.objectContaining({ code: value });

const arbitraryPath = fc
  .array(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }), {
    minLength: 1,
    maxLength: 6,
  })
  .map((parts) => parts.map((part) => part.replaceAll(/[/\0]/g, '_').toWellFormed()).join('/'));
const common = {
  path: arbitraryPath,
  mode: fc.integer({ min: 0, max: 0o7777 }),
  uid: fc.oneof(fc.nat(70_000), fc.maxSafeNat()),
  gid: fc.oneof(fc.nat(70_000), fc.maxSafeNat()),
  mtimeSeconds: fc.oneof(
    fc.integer(),
    fc.integer({ min: 0, max: 2 ** 35 }),
    fc.integer({ min: -(2 ** 33), max: 2 ** 33 }).map((quarters) => quarters / 4),
  ),
};
const arbitraryXattrs = fc
  .dictionary(
    fc.string({ minLength: 1, maxLength: 9 }).filter((key) => !key.includes('=')),
    fc.uint8Array({ maxLength: 9 }),
    { minKeys: 1, maxKeys: 3 },
  )
  .map((xattrs) => new Map(Object.entries(xattrs)));
const arbitraryMember: fc.Arbitrary<TarMember> = fc.oneof(
  fc
    .record({ ...common, xattrs: arbitraryXattrs, data: fc.uint8Array({ maxLength: 1500 }) })
    .map(({ data, ...rest }) => ({
      entry: { ...rest, kind: 'file' as const, size: data.length },
      data,
    })),
  fc.record(common).map((rest): TarMember => ({ entry: { ...rest, kind: 'directory', size: 0 } })),
  fc
    .record({ ...common, linkTarget: arbitraryPath, kind: fc.constantFrom('symlink', 'hardlink') })
    .map((rest): TarMember => ({ entry: { ...rest, size: 0 } })),
  fc
    .record({
      ...common,
      kind: fc.constantFrom('character-device', 'block-device'),
      device: fc.record({ major: fc.nat(0o7777777), minor: fc.nat(0o7777777) }),
    })
    .map((rest): TarMember => ({ entry: { ...rest, size: 0 } })),
);

function split(archive: Uint8Array, sizes: readonly number[]): readonly Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0, turn = 0; at < archive.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    chunks.push(archive.subarray(at, at + size));
    at += size;
  }
  return chunks;
}

describe('what the encoder writes', () => {
  test('comes back, in chunks of any size', () => {
    fc.assert(
      fc.property(
        fc.array(arbitraryMember, { maxLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 2000 }), { minLength: 1, maxLength: 5 }),
        (members, sizes) => {
          const archive = Buffer.concat([...encodeTar(members)]);
          const expected = members.map(({ entry, data = new Uint8Array() }) => ({
            entry,
            data: Buffer.from(data),
          }));
          expect(decode(split(archive, sizes))).toEqual(expected);
        },
      ),
      { numRuns: 200 },
    );
  });

  test('is truncated at every length but the last blocks', () => {
    const data = new Uint8Array(700);
    const archive = Buffer.concat([
      ...encodeTar([
        { entry: { ...file, path: 'é'.repeat(90), size: 700 }, data },
        { entry: { ...file, kind: 'symlink', path: 'l', linkTarget: 't' } },
      ]),
    ]);
    for (let length = 0; length < archive.length - 512; length += 1) {
      expect(() => decode([archive.subarray(0, length)])).toThrow(code('tar_truncated'));
    }
    expect(decode([archive.subarray(0, archive.length - 512)])).toHaveLength(2);
  });

  test('with any byte changed is decoded or refused with a code, and never hangs', () => {
    const archive = Buffer.concat([
      ...encodeTar([
        { entry: { ...file, path: 'x'.repeat(150), size: 3 }, data: Uint8Array.of(1, 2, 3) },
        { entry: { ...file, xattrs: new Map([['user.a', Uint8Array.of(1)]]) } },
      ]),
    ]);
    fc.assert(
      fc.property(fc.nat(archive.length - 1), fc.nat(255), (at, byte) => {
        const changed = Buffer.from(archive);
        changed[at] = byte;
        expect(outcome(() => decode(split(changed, [300])))).toMatch(/^(ok|tar_[a-z]+)$/);
      }),
      { numRuns: 3000 },
    );
  });
});

const file: TarEntry = {
  kind: 'file',
  path: 'f',
  mode: 0o644,
  uid: 0,
  gid: 0,
  size: 0,
  mtimeSeconds: 0,
};

/** One archive of hand-made headers: `type`, name and content each. */
function archiveOf(parts: readonly (readonly [string, string, Uint8Array | string])[]): Buffer {
  const blocks = parts.flatMap(([type, path, content]) => {
    const data = Buffer.from(content);
    const [block, ...rest] = encodeTar([{ entry: { ...file, path, size: data.length }, data }]);
    const header = Buffer.from(block ?? []);
    header.write(type, 156, 'latin1');
    return [withChecksum(header), ...rest.slice(0, -1)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

function withChecksum(header: Buffer): Buffer {
  header.fill(' ', 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}

function pax(records: Readonly<Record<string, string>>): Uint8Array {
  const entries = Object.entries(records).map(([key, value]) => [key, Buffer.from(value)] as const);
  return encodePaxRecords(new Map(entries));
}

describe('extended headers', () => {
  test('global records hold until changed, local ones for one entry', () => {
    const decoded = decode([
      archiveOf([
        ['g', 'g', pax({ mtime: '5', uid: '7', comment: 'hash' })],
        ['x', 'x', pax({ path: 'long', uid: '8' })],
        ['0', 'a', 'data'],
        ['0', 'b', ''],
        ['x', 'x', pax({ uid: '' })],
        ['0', 'c', ''],
      ]),
    ]);
    expect(decoded.map(({ entry }) => [entry.path, entry.uid, entry.mtimeSeconds])).toEqual([
      ['long', 8, 5],
      ['b', 7, 5],
      ['c', 0, 5],
    ]);
  });

  test('many global headers cost no more than their bytes', () => {
    const parts = Array.from({ length: 3000 }, (_, index) => {
      const records = Array.from({ length: 40 }, (_unused, key) => [`k${index}-${key}`, 'v']);
      return ['g', 'g', pax(Object.fromEntries(records))] as const;
    });
    expect(decode([archiveOf([...parts, ['x', 'x', pax({ path: 'b' })], ['0', 'a', '']])])).toEqual(
      [{ entry: { ...file, path: 'b' }, data: Buffer.alloc(0) }],
    );
  });

  test('a size record decides how much content follows', () => {
    const archive = archiveOf([
      ['x', 'x', pax({ size: '600' })],
      ['0', 'a', Buffer.alloc(600, 'a')],
      ['0', 'b', ''],
    ]);
    archive.write('00000000000', 1024 + 124);
    withChecksum(archive.subarray(1024, 1536));
    const decoded = decode([archive]);
    expect(decoded.map(({ entry, data }) => [entry.path, data.length])).toEqual([
      ['a', 600],
      ['b', 0],
    ]);
  });

  test('GNU long names and link names', () => {
    const name = 'n'.repeat(300);
    const target = 't'.repeat(300);
    const [decoded] = decode([
      archiveOf([
        ['L', '././@LongLink', `${name}\0`],
        ['K', '././@LongLink', `${target}\0`],
        ['1', 'short', ''],
      ]),
    ]);
    expect(decoded?.entry).toMatchObject({ kind: 'hardlink', path: name, linkTarget: target });
  });

  test.each<[string, string, readonly (readonly [string, string, Uint8Array | string])[]]>([
    ['malformed records', 'tar_corrupt', [['x', 'x', '9 a=b\n']]],
    [
      'a size that is no number',
      'tar_corrupt',
      [
        ['x', 'x', pax({ size: '-1' })],
        ['0', 'a', ''],
      ],
    ],
    ['nothing after a header', 'tar_corrupt', [['x', 'x', pax({ path: 'a' })]]],
    [
      'a path that is not UTF-8',
      'tar_unsupported',
      [
        ['x', 'x', encodePaxRecords(new Map([['path', Uint8Array.of(0xff)]]))],
        ['0', 'a', ''],
      ],
    ],
    [
      'GNU sparse records',
      'tar_unsupported',
      [
        ['x', 'x', pax({ 'GNU.sparse.major': '1' })],
        ['0', 'a', ''],
      ],
    ],
    ['GNU sparse entries', 'tar_unsupported', [['S', 'a', '']]],
    ['multi-volume entries', 'tar_unsupported', [['M', 'a', '']]],
    ['a header of 2 MiB', 'tar_corrupt', [['x', 'x', Buffer.alloc(2 * 1024 * 1024)]]],
  ])('refuses %s', (_name, expected, parts) => {
    expect(() => decode([archiveOf(parts)])).toThrow(code(expected));
  });
});

describe('old formats', () => {
  test('version 7: no magic, and a directory by its slash', () => {
    const header = Buffer.alloc(512);
    header.write('old/', 0);
    header.write('755 ', 100);
    const archive = Buffer.concat([withChecksum(header), Buffer.alloc(1024)]);
    expect(decode([archive])[0]?.entry).toMatchObject({
      kind: 'directory',
      path: 'old',
      mode: 0o755,
    });
  });

  test('a checksum of signed characters', () => {
    const header = Buffer.from(archiveOf([['0', 'ee', '']]).subarray(0, 512));
    header.write('é', 0);
    withChecksum(header);
    const sum = Number.parseInt(header.toString('latin1', 148, 154), 8);
    header.write((sum - 512).toString(8).padStart(6, '0'), 148);
    expect(decode([header, Buffer.alloc(1024)])[0]?.entry.path).toBe('é');
  });

  test('a block of zeros in the middle', () => {
    const archive = archiveOf([['0', 'a', '']]);
    const chunks = [Buffer.alloc(512), archive];
    expect(() => decode(chunks)).toThrow(code('tar_corrupt'));
  });

  test('what follows the end is not read', () => {
    expect(decode([archiveOf([['0', 'a', '']]), Buffer.alloc(5000, 'x')])).toHaveLength(1);
  });
});

function outcome(run: () => unknown): unknown {
  try {
    run();
    return 'ok';
  } catch (error) {
    return isTaplineError(error) ? error.code : error;
  }
}
