import {
  type AgentCore,
  AgentState,
  createAgentCore,
  feedOverApi,
  type ImageStore,
} from '../../packages/agent/src/index.ts';
import { silentLog, systemClock, systemRng } from '../../packages/base/src/index.ts';
import { createHttpClient } from '../../packages/client/src/index.ts';
import { connectSession, enrolDevice, newDeviceKey } from '../../packages/gateway/src/index.ts';
import type { Runtime } from '../../packages/runtimes/src/index.ts';

/**
 * Devices without programs: `node simulated-fleet.ts URL TOKEN COUNT`. Each enrols with a key of its
 * own, holds its own tunnel and watch and runs the agent's own code; programs end at once
 * with exit code 0, and images are there already.
 */
const [url = '', token = '', count = '0'] = process.argv.slice(2);
const devices = Number(count);
const server = new URL(url);
const enrolledAtOnce = 16;

let connected = 0;
const allConnected = Promise.withResolvers<void>();
const waiting = Array.from({ length: devices }, (_, at) => `sim-${String(at).padStart(4, '0')}`);
await Promise.all(
  Array.from({ length: enrolledAtOnce }, async () => {
    for (let name = waiting.pop(); name !== undefined; name = waiting.pop())
      await startDevice(name);
  }),
);
await allConnected.promise;
process.stdout.write(`fleet of ${devices} is connected\n`);
process.once('SIGTERM', () => process.exit(0));

async function startDevice(name: string): Promise<AgentCore> {
  const identity = await enrolDevice({
    server,
    token,
    name,
    platform: 'linux/amd64',
    labels: { simulated: 'yes' },
    privateKeyPem: newDeviceKey(),
    clock: systemClock,
  });
  const client = createHttpClient({
    baseUrl: url,
    ca: identity.caPem,
    credentials: {
      kind: 'certificate',
      certificate: identity.certificatePem,
      key: identity.privateKeyPem,
    },
    userAgent: 'tapline-simulated-agent',
    clock: systemClock,
  });
  const core = await createAgentCore({
    // Nobody asks these devices what their programs print.
    followLog: printsNothing,
    device: name,
    installs: feedOverApi(client, name),
    state: await AgentState.open(undefined),
    images: presentImages(),
    runtime: endlesslyHealthy(),
    clock: systemClock,
    rng: systemRng,
    log: silentLog,
  });
  connectSession({
    server,
    tls: () => ({ ca: identity.caPem, cert: identity.certificatePem, key: identity.privateKeyPem }),
    report: () => ({
      agentVersion: 'simulated',
      platform: 'linux/amd64',
      bootId: 'simulated',
      runtimes: ['simulated'],
      storage: { freeBytes: 2 ** 40, reservedBytes: 0, usedBytes: 0 },
      certificateNotAfter: new Date(identity.notAfter).toISOString(),
    }),
    service: core.service,
    onConnected: () => {
      connected += 1;
      if (connected === devices) allConnected.resolve();
    },
    clock: systemClock,
    rng: systemRng,
    log: silentLog,
  });
  await core.synced;
  return core;
}

function nothing(): Promise<void> {
  return Promise.resolve();
}

function presentImages(): ImageStore {
  return {
    inspect: () => Promise.resolve({ kind: 'ready' }),
    reserve: nothing,
    release: () => undefined,
    fetchManifest: nothing,
    fetchLayer: () => Promise.resolve(0),
    layOut: nothing,
    root: () => Promise.resolve({ rootfs: '/', config: {} }),
    collect: nothing,
    sync: nothing,
    storage: () => Promise.resolve({ freeBytes: 2 ** 40, reservedBytes: 0, usedBytes: 0 }),
    [Symbol.asyncDispose]: nothing,
  };
}

function endlesslyHealthy(): Runtime {
  const ended = { exitCode: 0, signal: undefined };
  const confinement = {
    userNamespace: false,
    hostUser: { uid: 0, gid: 0 },
    noNewPrivileges: false,
    readOnlyRoot: false,
    limitsEnforcedBy: { memory: 'none', pids: 'none', cpu: 'none' },
  } as const;
  return {
    name: 'unconfined',
    prepare: (spec) => Promise.resolve({ spec, bundle: '', confinement }),
    start: ({ ...container }) =>
      Promise.resolve({
        id: 'spec' in container ? container.spec.id : container.id,
        pid: process.pid,
      }),
    run: () => Promise.resolve(ended),
    exec: () => Promise.resolve(ended),
    stop: () => Promise.resolve(),
    remove: () => Promise.resolve(),
    list: () => Promise.resolve([]),
    wait: () => Promise.resolve(ended),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

async function* printsNothing(): AsyncGenerator<Uint8Array, void> {}
