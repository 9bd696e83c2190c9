import { openSync, writeSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { openSqliteStore } from '../sqlite-store.ts';
import type { Entry, WriteOperation } from '../store.ts';

// It is killed before it could keep what it compiled for the next.
flushCompileCache();

/**
 * The program that crash.test.ts kills: writes to the store at the first path as fast as it can, and
 * a line per answered write to the second. A file, since a pipe that is full takes no line at once.
 */
const [path = '', answersPath = ''] = process.argv.slice(2);
const answers = openSync(answersPath, 'w');
await using store = await openSqliteStore({ path, retention: { revisions: 40, bytes: 2 ** 20 } });
writeSync(1, 'open\n');

// Each writer owns its keys; two writes of three belong to a pair that has to stay equal.
await Promise.all(Array.from({ length: 8 }, (_, writer) => writeForever(writer)));

async function writeForever(writer: number): Promise<never> {
  const left = `/pair/${writer}/left`;
  const right = `/pair/${writer}/right`;
  for (let turn = 0; ; turn++) {
    const value = JSON.stringify({ turn, text: 'x'.repeat((turn * 37) % 3000) });
    const { revision, entries } = await store.write([put(left, value), put(right, value)]);
    report('pair', revision, entries);
    const single = `/single/${writer}/${turn % 5}`;
    const operation = turn % 3 === 2 && store.getSync(single) ? remove(single) : put(single, value);
    const answer = await store.write([operation]);
    report(operation.kind, answer.revision, answer.entries);
    if (writer === 0 && turn % 10 === 9) await store.compact(store.revision);
  }
}

function put(key: string, value: string): WriteOperation {
  return { kind: store.getSync(key) === undefined ? 'create' : 'update', key, value };
}

function remove(key: string): WriteOperation {
  return { kind: 'delete', key };
}

function report(kind: string, revision: number, entries: readonly Entry[]): void {
  const written = entries.map(({ key, value, modRevision }) => [key, modRevision, value]);
  writeSync(answers, `${JSON.stringify({ kind, revision, written })}\n`);
}
