import { ManualClock } from '@tapline/base';
import { storedCodeName } from '@tapline/userland';
import { expect, test } from 'vitest';
import { openCodeSeal } from './code-seal.ts';
import type { CodeShelf, ShelfLabel } from './code-shelf.ts';
import { openPageCode, type PageCode } from './page-code.ts';

const name = storedCodeName('aa');
const entry = 0x400000;

/** A shelf that tests look into, and change as somebody else might. */
function openShelf() {
  const labels = new Map<string, unknown>();
  const codes = new Map<string, unknown>();
  const shelf: CodeShelf = {
    labels: async () => [...labels.values()],
    code: async (of) => codes.get(of),
    async put(label, code) {
      labels.set(label.name, label);
      codes.set(label.name, code);
    },
    relabel: async (label) => void labels.set(label.name, label),
    async delete(of) {
      labels.delete(of);
      codes.delete(of);
    },
  };
  return { labels, codes, shelf };
}

async function open(
  shelf: CodeShelf,
  more: { key?: string; name?: string; served?: Uint8Array<ArrayBuffer> } = {},
): Promise<PageCode> {
  const seal = await openCodeSeal(more.key ?? 'key');
  if (seal === undefined) throw new Error('Node has cryptography');
  return await openPageCode({
    name: more.name ?? name,
    kept: { shelf, seal },
    fetchServed: async () => more.served,
    clock: new ManualClock(),
  });
}

function translate({ cache }: PageCode, size = 10): void {
  const bytes = new Uint8Array(size);
  cache.add({ bytes, entries: [entry], inside: new Set(), pages: [] });
}

test('what came to it is there at the next visit', async () => {
  const { shelf, labels } = openShelf();
  const first = await open(shelf);
  await first.keep();
  expect(labels.size).toBe(0);
  translate(first);
  await first.keep();
  expect((await open(shelf)).cache.find(entry)).toHaveLength(1);
});

test.each<[string, (stored: ReturnType<typeof openShelf>) => void]>([
  ['changed', ({ codes }) => void (codes.get(name) as Uint8Array).fill(7, 40, 41)],
  ['no bytes', ({ codes }) => void codes.set(name, 'code')],
  [
    'sealed by nobody',
    ({ labels }) => {
      labels.set(name, { ...(labels.get(name) as ShelfLabel), seal: new Uint8Array(32) });
    },
  ],
])('code that is %s is not taken, and goes', async (_, change) => {
  const stored = openShelf();
  const first = await open(stored.shelf);
  translate(first);
  await first.keep();
  change(stored);
  expect((await open(stored.shelf)).cache.list()).toEqual([]);
  expect(stored.codes.size).toBe(0);
});

test('code of who has another key, or of another program, is not taken', async () => {
  const stored = openShelf();
  const first = await open(stored.shelf);
  translate(first);
  await first.keep();
  const other = storedCodeName('bb');
  stored.codes.set(other, stored.codes.get(name));
  stored.labels.set(other, { ...(stored.labels.get(name) as ShelfLabel), name: other });
  expect((await open(stored.shelf, { name: other })).cache.list()).toEqual([]);
  expect((await open(stored.shelf, { key: 'another' })).cache.list()).toEqual([]);
});

test('labels that are none are passed over, and code of other translators goes', async () => {
  const stored = openShelf();
  const seal = new Uint8Array(32);
  stored.labels.set('x', 7);
  const old = 'a64-0-aa-0';
  stored.labels.set(old, { name: old, size: 1, usedMs: 1, seal });
  stored.codes.set(old, new Uint8Array(1));
  const first = await open(stored.shelf);
  translate(first);
  await first.keep();
  expect([...stored.codes.keys()]).toEqual([name]);
});

test('what was not used for longest goes when there is too much', async () => {
  const stored = openShelf();
  const size = 40 * 1024 * 1024;
  for (const usedMs of [5, 1, 4, 3, 2]) {
    const label = { name: storedCodeName(`${usedMs}`), size, usedMs, seal: new Uint8Array(32) };
    await stored.shelf.put(label, new Uint8Array(1));
  }
  const first = await open(stored.shelf);
  translate(first);
  await first.keep();
  expect([...stored.codes.keys()]).toEqual(
    [5, 4, 3, 2].map((ms) => storedCodeName(`${ms}`)).concat(name),
  );
});

test('more than is kept of one program is not kept', async () => {
  const stored = openShelf();
  const first = await open(stored.shelf);
  translate(first, 49 * 1024 * 1024);
  await first.keep();
  expect(stored.codes.size).toBe(0);
});

test('the server is asked where nothing is kept, and a storage that fails is none', async () => {
  const { shelf } = openShelf();
  const first = await open(shelf);
  translate(first);
  const served = first.encode();
  if (served === undefined) throw new Error('something was added');
  expect((await open(openShelf().shelf, { served })).cache.find(entry)).toHaveLength(1);
  const fails = (): Promise<never> => Promise.reject(new Error('no disk'));
  const broken: CodeShelf = {
    labels: fails,
    code: fails,
    put: fails,
    relabel: fails,
    delete: fails,
  };
  const code = await open(broken, { served });
  expect(code.cache.find(entry)).toHaveLength(1);
  translate(code);
  await code.keep();
});
