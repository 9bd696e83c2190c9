import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TaplineError } from '@tapline/base';
import { deviceResource } from '@tapline/resources';
import { temporaryFolder } from '@tapline/testing';
import { expect, test } from 'vitest';
import type { AuditEntry } from './audit-entry.ts';
import { openAuditLog } from './audit-log.ts';
import { serveForTest } from './testing/serve-for-test.ts';

function entry(id: string): AuditEntry {
  return {
    time: '2026-01-01T00:00:00.000Z',
    id,
    user: 'me',
    groups: [],
    via: 'token',
    verb: 'create',
    group: '',
    resource: 'events',
    decision: 'allow',
    code: 201,
  };
}

function idsIn(path: string): readonly string[] {
  return readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as AuditEntry).id);
}

test('entries of one turn are written together, before written() resolves', async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'audit.jsonl');
  using log = openAuditLog({ path });
  log.record(entry('a'));
  const first = log.written();
  log.record(entry('b'));
  await Promise.all([first, log.written()]);
  expect(idsIn(path)).toEqual(['a', 'b']);
  log.record(entry('c'));
  await log.written();
  expect(idsIn(path)).toEqual(['a', 'b', 'c']);
});

test('files rotate by size and the oldest go', async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'audit.jsonl');
  using log = openAuditLog({ path, maxBytes: 400, keep: 2 });
  for (let index = 0; index < 12; index += 1) {
    log.record(entry(String(index)));
    await log.written();
  }
  expect(readdirSync(folder.path).toSorted()).toEqual([
    'audit.jsonl',
    'audit.jsonl.1',
    'audit.jsonl.2',
  ]);
  const kept = [`${path}.2`, `${path}.1`, path].flatMap((one) => idsIn(one));
  expect(kept).toEqual(
    Array.from({ length: kept.length }, (_, index) => String(12 - kept.length + index)),
  );
});

// Only root may mount a disk small enough to fill.
test.skipIf(process.getuid?.() !== 0)('what a full disk did not take comes later', async () => {
  await using folder = await temporaryFolder();
  const disk = join(folder.path, 'disk');
  mkdirSync(disk);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', disk]);
  try {
    const path = join(disk, 'audit.jsonl');
    const filler = join(disk, 'filler');
    using log = openAuditLog({ path });
    log.record(entry('before'));
    await log.written();
    expect(() => writeFileSync(filler, Buffer.alloc(32_768))).toThrow('ENOSPC');
    const ids = Array.from({ length: 60 }, (_none, index) => `while-${index}`);
    for (const id of ids) log.record(entry(id));
    await expect(log.written()).rejects.toMatchObject({ code: 'unavailable' });
    await expect(log.written()).rejects.toMatchObject({ code: 'unavailable' });
    rmSync(filler);
    log.record(entry('after'));
    await log.written();
    expect(idsIn(path)).toEqual(['before', ...ids, 'after']);
  } finally {
    execFileSync('umount', ['--lazy', disk]);
  }
});

test('nothing is done while nobody could tell of it', async () => {
  const audit: AuditEntry[] = [];
  let isFull = false;
  const written = (): Promise<void> =>
    isFull ? Promise.reject(new TaplineError('unavailable', 'full')) : Promise.resolve();
  await using server = await serveForTest({
    audit: { record: (recorded) => void audit.push(recorded), written },
  });
  const create = async (name: string): Promise<number> => {
    const body = { metadata: { name }, spec: { platform: 'linux/arm64' } };
    const path = '/apis/tapline.dev/v1alpha1/devices';
    return (await server.send('POST', path, { body })).status;
  };
  isFull = true;
  // It was written by the time its entry was not, so nobody is told that it was.
  expect(await create('one')).toBe(503);
  const entries = audit.length;
  expect(await create('two')).toBe(503);
  const refused = await server.send('GET', '/apis/tapline.dev/v1alpha1/devices', {
    bearer: undefined,
  });
  expect(refused.status).toBe(503);
  expect(audit).toHaveLength(entries);
  isFull = false;
  expect(await create('three')).toBe(201);
  const { items } = await server.api.operations.list(server.root, deviceResource);
  expect(items.map(({ metadata }) => metadata.name).toSorted()).toEqual(['one', 'three']);
});

test('what was written survives SIGKILL of the process', async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'audit.jsonl');
  const module = fileURLToPath(new URL('./audit-log.ts', import.meta.url));
  const script = `
    import { openAuditLog } from ${JSON.stringify(module)};
    const log = openAuditLog({ path: ${JSON.stringify(path)} });
    for (let index = 0; ; index += 1) {
      log.record({ id: String(index) });
      await log.written();
      process.stdout.write(index + '\\n');
      await new Promise((resolve) => setImmediate(resolve));
    }`;
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    if (output.split('\n').length > 50) child.kill('SIGKILL');
  });
  await once(child, 'exit');
  const acknowledged = output
    .trim()
    .split('\n')
    .filter((line) => /^\d+$/.test(line));
  expect(acknowledged.length).toBeGreaterThan(40);
  expect(idsIn(path).slice(0, acknowledged.length - 1)).toEqual(acknowledged.slice(0, -1));
});
