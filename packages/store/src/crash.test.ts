import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { bundlePrograms } from '@tapline/testing';
import { expect, test } from 'vitest';
import { openSqliteStore } from './sqlite-store.ts';
import type { Change, Entry, ListResult, Store } from './store.ts';

/** `TAPLINE_STORE_KILLS` for more, where there is time for them: each is a writer begun anew. */
const kills = Number(process.env['TAPLINE_STORE_KILLS'] ?? 100);
const lanes = 2;
const sources = {
  'crash-writer': fileURLToPath(new URL('testing/crash-writer.ts', import.meta.url)),
  'journal-thread': fileURLToPath(new URL('journal-thread.ts', import.meta.url)),
};
const killsPerLane = Math.ceil(kills / lanes);

/** A line of crash-writer.ts: an answered write. */
interface Answer {
  readonly kind: 'pair' | 'create' | 'update' | 'delete';
  readonly revision: number;
  readonly written: readonly (readonly [key: string, revision: number, value: string])[];
}

/** The newest operation on a key that was answered, or found after the last kill. */
interface Promised {
  readonly revision: number;
  /** Undefined after a deletion. */
  readonly value: string | undefined;
}

test(
  'what was answered survives SIGKILL at any moment, whole, and revisions never go back',
  { timeout: 60_000 + kills * 1500 },
  async () => {
    await using programs = await bundlePrograms(sources);
    const program = join(programs.path, 'crash-writer.js');
    const answers = await Promise.all(Array.from({ length: lanes }, () => killRepeatedly(program)));
    // Otherwise the kills came too early to show anything.
    for (const count of answers) expect(count).toBeGreaterThan(killsPerLane);
  },
);

/** Kills writers of one store over and over; answers how many writes were answered in all. */
async function killRepeatedly(program: string): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'tapline-crash-'));
  try {
    const path = join(folder, 'store.db');
    const promised = new Map<string, Promised>();
    let revision = 0;
    let count = 0;
    for (let kill = 0; kill < killsPerLane; kill++) {
      const answers = await writeUntilKilled(program, path, { afterOpen: kill % 5 !== 0 });
      const revisions = answers.flatMap(({ written }) => written.map(([, each]) => each));
      expect(new Set(revisions).size).toBe(revisions.length);
      expect(Math.min(Infinity, ...revisions)).toBeGreaterThan(revision);
      for (const { kind, written } of answers) {
        for (const [key, at, value] of written) {
          promised.set(key, { revision: at, value: kind === 'delete' ? undefined : value });
        }
      }
      count += answers.length;
      const found = await inspectCopy(path, { promised, answers });
      expect(found.revision).toBeGreaterThanOrEqual(Math.max(revision, ...revisions));
      revision = found.revision;
      promised.clear();
      for (const { key, modRevision, value } of found.entries) {
        promised.set(key, { revision: modRevision, value });
      }
    }
    return count;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Kills at a random moment: of its writing, or of its whole life, so also while it opens. */
async function writeUntilKilled(
  program: string,
  path: string,
  options: { readonly afterOpen: boolean },
): Promise<readonly Answer[]> {
  const answersPath = `${path}.answers`;
  const child = spawn(process.execPath, [program, path, answersPath], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const opened = once(child.stdout, 'data');
  const closed = new Promise<NodeJS.Signals | null>((resolve) => {
    child.once('close', (_, signal) => resolve(signal));
  });
  if (options.afterOpen) await Promise.race([opened, closed]);
  await sleep(Math.random() * 50);
  child.kill('SIGKILL');
  // Anything else ended the program by itself.
  expect(await closed).toBe('SIGKILL');
  if (!existsSync(answersPath)) return [];
  const lines = readFileSync(answersPath, 'utf8').split('\n').slice(0, -1);
  rmSync(answersPath);
  return lines.map((line) => JSON.parse(line) as Answer);
}

/** Opens a copy, so that the next writer finds what the kill left. */
async function inspectCopy(
  path: string,
  expected: {
    readonly promised: ReadonlyMap<string, Promised>;
    readonly answers: readonly Answer[];
  },
): Promise<ListResult> {
  const copy = `${path}.copy`;
  for (const suffix of ['', '-wal', '-journal']) {
    rmSync(copy + suffix, { force: true });
    if (existsSync(path + suffix)) copyFileSync(path + suffix, copy + suffix);
  }
  await using store = await openSqliteStore({ path: copy });
  const found = await store.list({ prefix: '' });
  const { entries } = found;
  checkPromises(entries, expected.promised);
  checkPairs(entries);
  const changes = await changesAfter(store, store.compactedRevision);
  checkHistory(changes, expected.answers);
  const base = await store.list({ prefix: '', revision: store.compactedRevision });
  expect(replay(base.entries, changes)).toEqual(new Map(entries.map((each) => [each.key, each])));
  return found;
}

/** A key is as its newest answered write left it, or as a later one did that was not answered. */
function checkPromises(entries: readonly Entry[], promised: ReadonlyMap<string, Promised>): void {
  const found = new Map(entries.map((entry) => [entry.key, entry]));
  const missing: string[] = [];
  for (const [key, { revision, value }] of promised) {
    const entry = found.get(key);
    if (entry === undefined) {
      if (value !== undefined) missing.push(key);
    } else if (entry.modRevision === revision) {
      assert.equal(entry.value, value);
    } else {
      assert.ok(entry.modRevision > revision, `${key} went back to ${entry.modRevision}`);
      assert.ok(value !== undefined || entry.createRevision > revision, `${key} came back`);
    }
  }
  // A writer deletes single keys only, and had at most one deletion under way.
  const writers = missing.map((key) => /^\/single\/(\d+)\//.exec(key)?.[1]);
  expect(writers).not.toContain(undefined);
  expect(new Set(writers).size).toBe(writers.length);
}

/** Both halves of a write are there, or neither. */
function checkPairs(entries: readonly Entry[]): void {
  const pairs = entries.filter(({ key }) => key.startsWith('/pair/'));
  for (let index = 0; index < pairs.length; index += 2) {
    const [left, right] = pairs.slice(index, index + 2);
    expect(right?.value).toBe(left?.value);
    expect(right?.modRevision).toBe((left?.modRevision ?? 0) + 1);
  }
}

function checkHistory(changes: readonly Change[], answers: readonly Answer[]): void {
  const byRevision = new Map(changes.map((change) => [change.revision, change]));
  for (const { kind, written } of answers) {
    for (const [key, revision, value] of written) {
      const change = byRevision.get(revision);
      if (change === undefined) {
        const oldest = changes[0]?.revision ?? Infinity;
        assert.ok(revision < oldest, `revision ${revision} is missing, history has ${oldest}`);
        continue;
      }
      assert.equal(change.kind, kind === 'delete' ? 'delete' : 'put');
      assert.equal(change.key, key);
      assert.equal(change.value, value);
    }
  }
}

async function changesAfter(store: Store, after: number): Promise<readonly Change[]> {
  const changes: Change[] = [];
  if (after === store.revision) return changes;
  const { signal } = new AbortController();
  for await (const batch of store.watch({ prefix: '', after, signal })) {
    changes.push(...batch);
    if (changes.at(-1)?.revision === store.revision) break;
  }
  expect(changes.map(({ revision }) => revision)).toEqual(
    Array.from({ length: store.revision - after }, (_, index) => after + 1 + index),
  );
  return changes;
}

function replay(entries: readonly Entry[], changes: readonly Change[]): ReadonlyMap<string, Entry> {
  const state = new Map(entries.map((entry) => [entry.key, entry]));
  for (const { kind, key, value, previous, createRevision, revision } of changes) {
    assert.equal(previous, state.get(key)?.value);
    if (kind === 'delete') state.delete(key);
    else state.set(key, { key, value, createRevision, modRevision: revision });
  }
  return state;
}
