import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { InstallSpec } from '@tapline/resources';
import { temporaryFolder, type TemporaryFolder } from '@tapline/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AgentState } from './agent-state.ts';
import { newRecord } from './install-record.ts';

let folder: TemporaryFolder;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder[Symbol.asyncDispose]());

const desired: InstallSpec = {
  device: 'd1',
  delivery: 'jq',
  formula: 'jq',
  version: '1.7',
  revision: 3,
  image: {
    repository: 'jq',
    digest: `sha256:${'a'.repeat(64)}`,
    platform: 'linux/amd64',
    sizeBytes: 1,
    unpackedBytes: 2,
  },
};

test('its folder lets containers of user namespaces through to their files', async () => {
  const directory = join(folder.path, 'var', 'agent');
  await using state = await AgentState.open(directory);
  expect(state.records()).toEqual([]);
  expect((await stat(directory)).mode & 0o777).toBe(0o711);
  expect((await stat(join(directory, '..'))).mode & 0o001).toBe(0o001);
  for (const name of await readdir(directory)) {
    expect((await stat(join(directory, name))).mode & 0o077).toBe(0);
  }
});

test('what was written is there again, and only its owner may read it', async () => {
  const record = newRecord({ uid: 'u', name: 'd1.jq', desired });
  {
    await using state = await AgentState.open(folder.path);
    state.put(record);
    state.putMeta('answer', { value: 42 });
    state.putOutbox({ uid: 'u', name: 'd1.jq', status: { state: 'Ready' } });
    await Promise.all([state.barrier(), state.barrier(), state.barrier()]);
    for (const name of await readdir(folder.path)) {
      expect((await stat(join(folder.path, name))).mode & 0o077).toBe(0);
    }
  }
  await using state = await AgentState.open(folder.path);
  expect(state.records()).toEqual([record]);
  expect(state.meta('answer')).toEqual({ value: 42 });
  expect(state.outbox()).toMatchObject([{ uid: 'u', status: { state: 'Ready' } }]);
});

test('one process has it open', async () => {
  await using first = await AgentState.open(folder.path);
  await expect(AgentState.open(folder.path)).rejects.toMatchObject({ code: 'agent_running' });
  expect(first.records()).toEqual([]);
});

test('an answer to an older status leaves a newer one to be said', async () => {
  await using state = await AgentState.open(undefined);
  const older = state.putOutbox({ uid: 'u', name: 'd1.jq', status: { state: 'Pulling' } });
  const newer = state.putOutbox({ uid: 'u', name: 'd1.jq', status: { state: 'Ready' } });
  state.delivered(older);
  expect(state.outboxEntry('u')).toEqual(newer);
  state.delivered(newer);
  expect(state.outboxEntry('u')).toBeUndefined();
});

test('what is forgotten is not said either', async () => {
  await using state = await AgentState.open(undefined);
  state.put(newRecord({ uid: 'u', name: 'd1.jq', desired }));
  state.putOutbox({ uid: 'u', name: 'd1.jq', status: { state: 'Ready' } });
  state.forget('u');
  expect(state.records()).toEqual([]);
  expect(state.outbox()).toEqual([]);
});
