import { ManualClock, seededRng, silentLog, TaplineError } from '@tapline/base';
import type { ResourceClient } from '@tapline/client';
import { installResource, type InstallSpec, type InstallStatus } from '@tapline/resources';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { AgentState } from './agent-state.ts';
import { feedOverApi } from './installs/feed-over-api.ts';
import { createStatusReporter, type StatusReporter } from './status-reporter.ts';
import {
  createInterruptibleClient,
  type InterruptibleClient,
} from './testing/interruptible-client.ts';
import { startTestApi, type TestApi } from './testing/start-test-api.ts';

let api: TestApi;
let client: InterruptibleClient;
let state: AgentState;
let clock: ManualClock;
let reporter: StatusReporter;
let install: { readonly uid: string; readonly name: string };
let patches: number;

beforeEach(async () => {
  api = await startTestApi('d1');
  patches = 0;
  const counting: ResourceClient = {
    ...createInterruptibleClient(api.deviceClient),
    patch: (definition, name, patch, options) => {
      patches += 1;
      return api.deviceClient.patch(definition, name, patch, options);
    },
  };
  client = createInterruptibleClient(counting);
  state = await AgentState.open(undefined);
  clock = new ManualClock();
  reporter = create();
  const spec: InstallSpec = {
    device: 'd1',
    delivery: 'jq',
    formula: 'jq',
    version: '1',
    revision: 1,
    image: {
      repository: 'jq',
      digest: `sha256:${'a'.repeat(64)}`,
      platform: 'linux/amd64',
      sizeBytes: 1,
      unpackedBytes: 1,
    },
  };
  const { metadata } = await api.client.create(installResource, {
    metadata: { name: 'd1.jq' },
    spec,
  });
  install = { uid: metadata.uid ?? '', name: 'd1.jq' };
});
afterEach(async () => {
  await reporter[Symbol.asyncDispose]();
  await state[Symbol.asyncDispose]();
  await api[Symbol.asyncDispose]();
});

function create(): StatusReporter {
  const settle = (): Promise<void> => Promise.resolve();
  const installs = feedOverApi(client, 'd1');
  return createStatusReporter({
    installs,
    state,
    settle,
    clock,
    rng: seededRng(1),
    log: silentLog,
  });
}

async function stored(): Promise<InstallStatus | undefined> {
  return (await api.client.get(installResource, 'd1.jq')).status;
}

test('an install that is done within half a second is reported once', async () => {
  reporter.progress(install, { state: 'Pulling' });
  await clock.advance(300);
  reporter.progress(install, { state: 'Starting' });
  reporter.outcome(install, { state: 'Ready' });
  await vi.waitFor(async () => expect(await stored()).toMatchObject({ state: 'Ready' }));
  await clock.advance(5000);
  expect(patches).toBe(1);
});

test('a slower one says where it is', async () => {
  reporter.progress(install, { state: 'Pulling' });
  await clock.advance(600);
  await vi.waitFor(async () => expect(await stored()).toMatchObject({ state: 'Pulling' }));
});

test('an error that is over is not left behind', async () => {
  reporter.outcome(install, { state: 'Failed', error: { code: 'c', message: 'm' } });
  await vi.waitFor(async () => expect(await stored()).toHaveProperty('error'));
  reporter.outcome(install, { state: 'Ready' });
  await vi.waitFor(async () => expect(await stored()).toMatchObject({ state: 'Ready' }));
  expect(await stored()).not.toHaveProperty('error');
});

test('what could not be said is said later, also by the next life, and only the newest of it', async () => {
  client.failWith(new TaplineError('unavailable', 'away'));
  reporter.outcome(install, { state: 'Failed' });
  reporter.outcome(install, { state: 'Ready' });
  await clock.advance(1000);
  await reporter[Symbol.asyncDispose]();
  expect(state.outbox()).toHaveLength(1);
  client.failWith(undefined);
  reporter = create();
  await vi.waitFor(async () => expect(await stored()).toMatchObject({ state: 'Ready' }));
  await vi.waitFor(() => expect(state.outbox()).toEqual([]));
  expect(patches).toBe(1);
});

test('nothing is said of another Install under the same name', async () => {
  reporter.outcome({ ...install, uid: '00000000-0000-4000-8000-000000000000' }, { state: 'Ready' });
  await vi.waitFor(() => expect(state.outbox()).toEqual([]));
  expect(await stored()).toBeUndefined();
});
