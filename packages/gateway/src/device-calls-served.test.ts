import type { PeerCertificate } from 'node:tls';
import { systemClock, TaplineError } from '@tapline/base';
import type { ResourceClient, WatchOptions } from '@tapline/client';
import {
  type Device,
  deviceResource,
  type Install,
  installResource,
  type InstallSpec,
} from '@tapline/resources';
import type { Session as Tunnel } from '@tapline/tunnel';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type DeviceCallsServed, serveDeviceCalls } from './device-calls-served.ts';
import type { Session } from './device-sessions.ts';
import { callStream } from './rpc/call-head.ts';
import { createGatewayCalls, type GatewayCalls } from './rpc/create-gateway-calls.ts';
import { connectedPair, type SessionPair } from './testing/session-pair.ts';
import { startTestApi, type TestApi } from './testing/start-test-api.ts';

let objects: TestApi;
let pairs: SessionPair[];
let served: DeviceCallsServed;
/** Who the API is asked as; watches that are open. */
let api: ResourceClient;
let watches: number;
const newest = new Map<string, Session>();

beforeEach(async () => {
  objects = await startTestApi();
  pairs = [];
  watches = 0;
  api = watched(
    objects.as({ user: 'system:device:d1', groups: ['system:devices'], via: 'internal' }),
  );
  for (const name of ['d1', 'd2']) {
    await objects.client.create(deviceResource, {
      metadata: { name },
      spec: { platform: 'linux/amd64', role: 'device' },
    });
  }
  served = serveDeviceCalls({
    sessions: { newest: (device) => newest.get(device) },
    clientOf: () => api,
  });
});
afterEach(async () => {
  newest.clear();
  for (const pair of pairs) pair[Symbol.dispose]();
  await objects[Symbol.asyncDispose]();
});

/** The same client, with its open watches counted. */
function watched(client: ResourceClient): ResourceClient {
  return {
    ...wholeClient(client),
    async *watch(definition, options: WatchOptions) {
      watches += 1;
      try {
        yield* client.watch(definition, options);
      } finally {
        watches -= 1;
      }
    },
  };
}

function wholeClient(client: ResourceClient): ResourceClient {
  return {
    get: (...given) => client.get(...given),
    list: (...given) => client.list(...given),
    create: (...given) => client.create(...given),
    update: (...given) => client.update(...given),
    updateStatus: (...given) => client.updateStatus(...given),
    patch: (...given) => client.patch(...given),
    delete: (...given) => client.delete(...given),
    watch: (...given) => client.watch(...given),
  };
}

/** A device's end, and the epoch that it says. */
interface Caller {
  readonly calls: GatewayCalls;
  readonly tunnel: Tunnel;
  epoch: number;
}

/** A tunnel of d1 whose session is its newest, until another begins. */
async function connected(init: {
  readonly epoch: number;
  readonly greets?: boolean;
}): Promise<Caller> {
  const pair = await connectedPair();
  pairs.push(pair);
  const { epoch } = init;
  const session = { device: 'd1', epoch, firstEpoch: epoch } as Session;
  if (init.greets !== false) newest.set('d1', session);
  const peer = {
    name: 'd1',
    device: {} as Device,
    shown: { authorized: true, certificate: {} as PeerCertificate },
  };
  pair.server.onStream((stream) => {
    const known = init.greets === false ? undefined : session;
    served.serve(stream, { tunnel: pair.server, peer, session: () => known });
  });
  const caller: Caller = {
    epoch: init.epoch,
    tunnel: pair.client,
    calls: createGatewayCalls({
      open: (_path, header) => pair.client.open({ class: 'interactive', name: callStream, header }),
      epoch: () => Promise.resolve(caller.epoch),
    }),
  };
  return caller;
}

async function install(device: string, more: Partial<InstallSpec> = {}): Promise<Install> {
  const digest = `sha256:${'a'.repeat(64)}`;
  const image = {
    repository: 'jq',
    digest,
    platform: 'linux/amd64',
    sizeBytes: 1,
    unpackedBytes: 1,
  };
  const spec = { device, delivery: 'jq', formula: 'jq', version: '1', revision: 1, image, ...more };
  return await objects.client.create(installResource, {
    metadata: { name: `${device}.${spec.formula}` },
    spec,
  });
}

function report({ metadata: { name, uid = '' } }: Install, state = 'Ready') {
  return { name, uid, status: { state } };
}

async function stateOf(name: string): Promise<string | undefined> {
  return (await objects.client.get(installResource, name)).status?.state;
}

/** What a call ended with. */
function refusal(code: string): unknown {
  return expect.objectContaining({ code: 'stream_refused', details: { code } });
}

async function all<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

/** What the device hears first; then it ends the call, as leaving it alone would not. */
async function firstOf(calls: GatewayCalls): Promise<unknown> {
  const ending = new AbortController();
  try {
    for await (const { event } of calls.directives({}, ending)) return event.case;
    return undefined;
  } finally {
    ending.abort();
  }
}

describe('what a device calls', () => {
  test('says which Installs it is to have, and takes how they stand', async () => {
    const own = await install('d1');
    await install('d2');
    const { calls } = await connected({ epoch: 1 });
    const heard: string[] = [];
    const ending = new AbortController();
    const following = (async () => {
      for await (const { event } of calls.directives({}, ending)) {
        if (event.case === 'listed') heard.push('listed');
        if (event.case === 'changed' || event.case === 'deleted') {
          heard.push(`${event.case} ${event.value.name} ${event.value.spec?.revision}`);
        }
        if (event.case === 'deleted') return;
      }
    })();
    await vi.waitFor(() => expect(heard).toContain('listed'));
    await calls.reportInstall(report(own));
    await install('d2', { formula: 'yq' });
    const body = { spec: { revision: 2 } };
    await objects.client.patch(installResource, 'd1.jq', { kind: 'merge', body });
    await objects.client.delete(installResource, 'd1.jq');
    await following;
    expect(heard).toEqual([
      'changed d1.jq 1',
      'listed',
      'changed d1.jq 1',
      'changed d1.jq 2',
      'deleted d1.jq 2',
    ]);
    ending.abort();
    await vi.waitFor(() => expect(watches).toBe(0));
  });

  test('goes on from where it was, and says when that is too long ago', async () => {
    const { metadata } = await install('d1');
    await install('d1', { formula: 'yq' });
    const { calls } = await connected({ epoch: 1 });
    const { resourceVersion = '' } = metadata;
    for await (const { event } of calls.directives({ resourceVersion })) {
      expect(event).toMatchObject({ case: 'changed', value: { name: 'd1.yq' } });
      break;
    }
    await objects.compact();
    await expect(all(calls.directives({ resourceVersion }))).rejects.toEqual(refusal('expired'));
  });

  test('has its deadline and its end passed on to the API', async () => {
    const { calls } = await connected({ epoch: 1 });
    const timed = all(calls.directives({}, { timeoutMs: 200 }));
    await expect(timed).rejects.toMatchObject({ code: 'call_deadline_exceeded' });
    await vi.waitFor(() => expect(watches).toBe(0));
    const cancelling = new AbortController();
    const followed = all(calls.directives({}, { signal: cancelling.signal }));
    await vi.waitFor(() => expect(watches).toBe(1));
    cancelling.abort();
    await expect(followed).rejects.toMatchObject({ code: 'call_cancelled' });
    await vi.waitFor(() => expect(watches).toBe(0));
    // A write that takes too long is over for who made it.
    const own = await install('d1');
    api = { ...wholeClient(api), get: () => new Promise(() => undefined) };
    const late = calls.reportInstall(report(own), { timeoutMs: 50 });
    await expect(late).rejects.toMatchObject({ code: 'call_deadline_exceeded' });
  });

  test('ends with its tunnel', async () => {
    const { calls, tunnel } = await connected({ epoch: 1 });
    const followed = all(calls.directives({}));
    await vi.waitFor(() => expect(watches).toBe(1));
    tunnel.close();
    await expect(followed).rejects.toMatchObject({ code: expect.stringMatching(/^tunnel_/) });
    await vi.waitFor(() => expect(watches).toBe(0));
  });
});

describe('refused', () => {
  test('is who is not the newest session, whatever epoch it says', async () => {
    const own = await install('d1');
    const stale = await connected({ epoch: 1 });
    await stale.calls.reportInstall(report(own, 'Pulling'));
    const current = await connected({ epoch: 2 });
    for (const epoch of [1, 2, 3]) {
      stale.epoch = epoch;
      await expect(stale.calls.reportInstall(report(own))).rejects.toEqual(refusal('epoch_stale'));
      await expect(firstOf(stale.calls)).rejects.toEqual(refusal('epoch_stale'));
    }
    expect(await stateOf('d1.jq')).toBe('Pulling');
    await current.calls.reportInstall(report(own));
    expect(await stateOf('d1.jq')).toBe('Ready');
    // Of a session before this one, though it came in it.
    current.epoch = 1;
    await expect(current.calls.reportInstall(report(own))).rejects.toEqual(refusal('epoch_stale'));
  });

  test('is who has not said hello', async () => {
    const { calls } = await connected({ epoch: 1, greets: false });
    // Not as where no calls are served: a device would give them up.
    await expect(firstOf(calls)).rejects.toMatchObject({ code: 'unauthorized' });
  });

  test('is a report of another device’s Install, by the API and where the API would allow it', async () => {
    const foreign = await install('d2');
    const { calls } = await connected({ epoch: 1 });
    await expect(calls.reportInstall(report(foreign))).rejects.toEqual(refusal('forbidden'));
    api = objects.client;
    await expect(calls.reportInstall(report(foreign))).rejects.toEqual(refusal('install_foreign'));
    expect(await stateOf('d2.jq')).toBeUndefined();
  });

  test('is a report of what is not there, is another now, or says nothing that the API takes', async () => {
    const own = await install('d1');
    const { calls } = await connected({ epoch: 1 });
    const gone = { ...report(own), name: 'd1.yq' };
    // Whether there is one is not for a device to hear.
    await expect(calls.reportInstall(gone)).rejects.toEqual(refusal('forbidden'));
    const other = { ...report(own), uid: '00000000-0000-4000-8000-000000000000' };
    await expect(calls.reportInstall(other)).rejects.toEqual(refusal('conflict'));
    await expect(calls.reportInstall(report(own, 'Splendid'))).rejects.toEqual(refusal('invalid'));
    await expect(calls.reportInstall({ name: 'd1.jq' })).rejects.toEqual(refusal('call_invalid'));
    expect(await stateOf('d1.jq')).toBeUndefined();
  });

  test('is whose certificate has ended', async () => {
    const { calls } = await connected({ epoch: 1 });
    served = serveDeviceCalls({
      sessions: { newest: (device) => newest.get(device) },
      clientOf() {
        throw new TaplineError('unauthorized', 'the certificate ended');
      },
    });
    await expect(firstOf(calls)).rejects.toEqual(refusal('unauthorized'));
  });

  test('are more calls than a device needs, and the others go on', async () => {
    const { calls } = await connected({ epoch: 1 });
    const cancelling = new AbortController();
    const { signal } = cancelling;
    const many = Array.from({ length: 16 }, () =>
      all(calls.directives({}, { signal })).catch(() => 'ended'),
    );
    await vi.waitFor(() => expect(watches).toBe(16));
    await expect(firstOf(calls)).rejects.toMatchObject({ code: 'too_many_streams' });
    await systemClock.sleep(10);
    expect(watches).toBe(16);
    cancelling.abort();
    expect(await Promise.all(many)).toEqual(Array.from({ length: 16 }, () => 'ended'));
    await vi.waitFor(async () => expect(await firstOf(calls)).toBe('listed'));
  });
});
