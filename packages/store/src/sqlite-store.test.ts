import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { openSqliteStore } from './sqlite-store.ts';
import { type OpenedStore, storeContract } from './testing/store-contract.ts';
import type { Retention, WriteOperation } from './store.ts';

const folder = mkdtempSync(join(tmpdir(), 'tapline-store-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function newPath(): string {
  return join(folder, `${randomUUID()}.db`);
}

storeContract('SqliteStore', {
  open: (options) => openAt(newPath(), options?.retention),
  runs: 25,
});

async function openAt(path: string, retention?: Retention): Promise<OpenedStore> {
  const store = await openSqliteStore({ path, ...(retention === undefined ? {} : { retention }) });
  return { store, reopen: () => openAt(path, retention) };
}

describe('SqliteStore: its file', () => {
  test('has mode 0600, also when it had another', async () => {
    const path = newPath();
    await using store = await openSqliteStore({ path });
    await store.write([create('/a')]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(`${path}-wal`).mode & 0o777).toBe(0o600);
    await store[Symbol.asyncDispose]();
    chmodSync(path, 0o644);
    await using reopened = await openSqliteStore({ path });
    expect(reopened.revision).toBe(1);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test('is refused to a second opener, in this process and in another', async () => {
    const path = newPath();
    await using store = await openSqliteStore({ path });
    await expect(openSqliteStore({ path })).rejects.toMatchObject({ code: 'store_locked' });
    // The refused opener has closed the file: the lock has to have outlived that.
    const index = new URL('./index.ts', import.meta.url).href;
    const script = `const { openSqliteStore } = await import(${JSON.stringify(index)});
      await openSqliteStore({ path: ${JSON.stringify(path)} }).catch((e) => console.log(e.code));`;
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--input-type=module',
      '-e',
      script,
    ]);
    expect(stdout.trim()).toBe('store_locked');
    await store.write([create('/a')]);
  });

  test('of a newer schema is refused and left alone', async () => {
    const path = newPath();
    await (await openSqliteStore({ path }))[Symbol.asyncDispose]();
    const database = new DatabaseSync(path);
    database.exec('PRAGMA user_version = 2');
    database.close();
    const before = readFileSync(path);
    await expect(openSqliteStore({ path })).rejects.toMatchObject({
      code: 'store_version_unsupported',
      details: { found: 2, supported: 1 },
    });
    expect(readFileSync(path)).toEqual(before);
  });

  test('of something else is refused and left alone', async () => {
    const text = newPath();
    writeFileSync(text, 'x'.repeat(5000), { mode: 0o644 });
    const foreign = newPath();
    const database = new DatabaseSync(foreign);
    database.exec('CREATE TABLE other (a)');
    database.close();
    for (const path of [text, foreign]) {
      const before = readFileSync(path);
      const { mode } = statSync(path);
      await expect(openSqliteStore({ path })).rejects.toMatchObject({ code: 'store_corrupt' });
      expect(readFileSync(path)).toEqual(before);
      expect(statSync(path).mode).toBe(mode);
    }
  });

  test.each([
    ['cut off', (bytes: Buffer) => bytes.subarray(0, bytes.length - 8192)],
    ['with a page overwritten', (bytes: Buffer) => Buffer.from(bytes).fill(0xa5, 8192, 12_288)],
  ])('is refused when it is damaged: %s', async (_, damage) => {
    const path = newPath();
    const store = await openSqliteStore({ path });
    for (let index = 0; index < 50; index++) await store.write([create(`/k/${index}`, 2000)]);
    await store[Symbol.asyncDispose]();
    writeFileSync(path, damage(readFileSync(path)));
    await expect(openSqliteStore({ path })).rejects.toMatchObject({ code: 'store_corrupt' });
  });

  test('with a change missing is refused', async () => {
    const path = newPath();
    const store = await openSqliteStore({ path });
    await store.write([create('/a'), create('/b'), create('/c')]);
    await store[Symbol.asyncDispose]();
    const database = new DatabaseSync(path);
    database.exec('DELETE FROM change WHERE revision = 2');
    database.close();
    await expect(openSqliteStore({ path })).rejects.toMatchObject({ code: 'store_corrupt' });
  });

  test('in a folder that does not exist is an error of the disk', async () => {
    const path = join(folder, 'nowhere', 'store.db');
    await expect(openSqliteStore({ path })).rejects.toMatchObject({ code: 'store_io' });
  });

  test('at its limit refuses writes whole, and takes them again after a compaction', async () => {
    const path = newPath();
    await using store = await openSqliteStore({ path, maxBytes: 256 * 1024 });
    await store.write([create('/a', 10_000)]);
    const fill = async (): Promise<never> => {
      while (true) await store.write([update('/a', 10_000), update('/a', 10_000)]);
    };
    await expect(fill()).rejects.toMatchObject({ code: 'store_full' });
    const { revision } = store;
    expect(revision % 2).toBe(1);
    await store.compact(revision);
    await store.write([update('/a', 10_000)]);
    expect(store.revision).toBe(revision + 1);
  });

  test('keeps every entry through a compaction, also one last written before it', async () => {
    const path = newPath();
    const store = await openSqliteStore({ path });
    await store.write([create('/a'), create('/b'), update('/a', 5), update('/b', 5)]);
    await store.write([{ kind: 'delete', key: '/b' }, create('/c')]);
    await store.compact(store.revision);
    const before = await store.list({ prefix: '' });
    await store[Symbol.asyncDispose]();
    const database = new DatabaseSync(path);
    const rows = database.prepare('SELECT revision FROM change ORDER BY revision').all();
    database.close();
    expect(rows.map((row) => row['revision'])).toEqual([3, 6]);
    await using reopened = await openSqliteStore({ path });
    expect(await reopened.list({ prefix: '' })).toEqual(before);
  });

  test('does not grow while compaction keeps up', async () => {
    const path = newPath();
    await using store = await openSqliteStore({
      path,
      retention: { revisions: 50, bytes: 2 ** 30 },
    });
    await store.write([create('/a')]);
    for (let index = 0; index < 1000; index++) await store.write([update('/a', 1000)]);
    await store[Symbol.asyncDispose]();
    expect(statSync(path).size).toBeLessThan(50 * 1000 * 10);
  });
});

function create(key: string, size = 0): WriteOperation {
  return { kind: 'create', key, value: JSON.stringify('x'.repeat(size)) };
}

function update(key: string, size: number): WriteOperation {
  return { kind: 'update', key, value: JSON.stringify('x'.repeat(size)) };
}
