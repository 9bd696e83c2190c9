import { readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '@tapline/base';
import { openMemoryStore, type Store } from '@tapline/store';
import { temporaryFolder } from '@tapline/testing';
import { expect, test } from 'vitest';
import type { AuditEntry } from './audit-entry.ts';
import { openAuditLog } from './audit-log.ts';
import { readRecentAudit } from './recent-audit.ts';
import { recordLostWrites } from './record-lost-writes.ts';

const key = 'tapline.dev/devices/d1';

function entry(revision: number): AuditEntry {
  return {
    time: '2026-01-01T00:00:00.000Z',
    id: String(revision),
    user: 'me',
    groups: [],
    via: 'token',
    verb: 'update',
    group: 'tapline.dev',
    resource: 'devices',
    name: 'd1',
    decision: 'allow',
    code: 200,
    after: String(revision),
  };
}

function entriesIn(path: string): readonly AuditEntry[] {
  const lines = readFileSync(path, 'utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line) as AuditEntry);
}

async function writeTimes(store: Store, times: number): Promise<void> {
  for (let time = 0; time < times; time += 1) {
    const kind = store.getSync(key) === undefined ? 'create' : 'update';
    await store.write([{ kind, key, value: `{"time":${time}}` }]);
  }
}

/** As a control plane starts: what the log has, then what it lacks. */
async function restart(store: Store, path: string, maxBytes?: number): Promise<number> {
  const recent = readRecentAudit(path);
  using audit = openAuditLog({ path, ...(maxBytes === undefined ? {} : { maxBytes }) });
  return await recordLostWrites({ store, audit, recent, clock: systemClock });
}

test('a commit whose entry a crash kept from being written gets one, once', async () => {
  await using folder = await temporaryFolder();
  await using store = openMemoryStore();
  const path = join(folder.path, 'audit.jsonl');
  await writeTimes(store, 3);
  await store.write([{ kind: 'create', key: 'core/namespaces/n', value: '{}' }]);
  await store.write([{ kind: 'delete', key }]);
  {
    using log = openAuditLog({ path });
    for (const revision of [1, 3]) log.record(entry(revision));
    await log.written();
  }
  expect(await restart(store, path)).toBe(3);
  const found = entriesIn(path).slice(2);
  expect(
    found.map(({ verb, group, resource, name, after }) =>
      [verb, group, resource, name, after].join(' '),
    ),
  ).toEqual([
    'update tapline.dev devices d1 2',
    'create  namespaces n 4',
    'delete tapline.dev devices d1 5',
  ]);
  expect(found[0]).toMatchObject({ user: 'system:tapline:audit', decision: 'allow', code: 200 });
  expect(await restart(store, path)).toBe(0);
});

test('an entry that was cut in half counts as none', async () => {
  await using folder = await temporaryFolder();
  await using store = openMemoryStore();
  const path = join(folder.path, 'audit.jsonl');
  await writeTimes(store, 2);
  {
    using log = openAuditLog({ path });
    for (const revision of [1, 2]) log.record(entry(revision));
    await log.written();
  }
  truncateSync(path, readFileSync(path).length - 20);
  expect(await restart(store, path)).toBe(1);
  const lines = readFileSync(path, 'utf8').trim().split('\n');
  expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ after: '2' });
});

test('a log that was rotated and is longer than what is read gives no second entries', async () => {
  await using folder = await temporaryFolder();
  await using store = openMemoryStore();
  const path = join(folder.path, 'audit.jsonl');
  const writes = 12_000;
  await writeTimes(store, writes);
  {
    using log = openAuditLog({ path, maxBytes: 1_500_000 });
    for (let revision = 1; revision < writes; revision += 1) {
      log.record(entry(revision));
      if (revision % 100 === 0) await log.written();
    }
    await log.written();
  }
  const recent = readRecentAudit(path);
  expect(recent.since).toBeGreaterThan(1000);
  expect(await restart(store, path)).toBe(1);
  expect(entriesIn(path).at(-1)).toMatchObject({ after: String(writes) });
});
