import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { type Clock, createJsonLog, systemClock, systemRng } from '@tapline/base';
import { type DeviceIdentity, renewIdentity } from '@tapline/gateway';
import { deviceKeyAnnotation, deviceResource, revokedDeviceKey } from '@tapline/resources';
import { eventually, temporaryFolder, type TemporaryFolder } from '@tapline/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AgentState } from './agent-state.ts';
import { createIdentityKeeper, type IdentityKeeper } from './identity-keeper.ts';
import { joinDevice } from './join-device.ts';
import { loadIdentity } from './stored-identity.ts';
import { startTestControlPlane, type TestControlPlane } from './testing/test-control-plane.ts';

const lifetimeMs = 3000;

let folder: TemporaryFolder;
let plane: TestControlPlane;
let state: AgentState;
let logged: string;

beforeEach(async () => {
  folder = await temporaryFolder();
  logged = '';
});
afterEach(async () => {
  await plane[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

async function joined(clock: Clock, certificateLifetimeMs = lifetimeMs): Promise<void> {
  plane = await startTestControlPlane(join(folder.path, 'plane'), { certificateLifetimeMs });
  const dataDirectory = join(folder.path, 'agent');
  await joinDevice({
    dataDirectory,
    server: plane.url,
    token: await plane.makeToken(),
    name: 'edge-1',
    platform: 'linux/amd64',
    clock,
  });
  state = await AgentState.open(dataDirectory);
}

function keep(clock: Clock): IdentityKeeper {
  const log = createJsonLog({ clock, write: (line) => void (logged += line), level: 'info' });
  return createIdentityKeeper({ state, clock, rng: systemRng, log });
}

function serialOf({ certificatePem }: DeviceIdentity): string {
  return new X509Certificate(certificatePem).serialNumber;
}

async function opened(work: (keeper: IdentityKeeper) => Promise<void>, clock = systemClock) {
  const keeper = keep(clock);
  try {
    await work(keeper);
  } finally {
    await keeper[Symbol.asyncDispose]();
    await state[Symbol.asyncDispose]();
  }
}

test('a short-lived certificate is renewed by itself, again and again, before it ends', async () => {
  await joined(systemClock);
  await opened(async (keeper) => {
    let told = 0;
    keeper.onRenewed(async () => {
      told += 1;
      await Promise.resolve();
    });
    const first = keeper.current;
    const serials = new Set<string>();
    await eventually('it was renewed twice', () => {
      // At no time is the certificate one whose time is over; the busiest machine gets a second more.
      expect(keeper.current.notAfter + 1000).toBeGreaterThan(systemClock.now());
      serials.add(serialOf(keeper.current));
      return told >= 2;
    });
    expect(serials.size).toBeGreaterThanOrEqual(3);
    expect(keeper.current.privateKeyPem).toBe(first.privateKeyPem);
    expect(serialOf(loadIdentity(state).identity)).toBe(serialOf(keeper.current));
  });
  expect(logged).toContain('certificate renewed');
});

test.each([-3_600_000, 3_600_000])(
  'is renewed in time though the clock of the device is %i ms off',
  async (skewMs) => {
    const clock = { ...systemClock, now: () => systemClock.now() + skewMs };
    await joined(clock);
    await opened(async (keeper) => {
      const first = serialOf(keeper.current);
      await eventually('it was renewed', () => serialOf(keeper.current) !== first);
      // And not over and over, as if each were late.
      expect(logged.split('certificate renewed').length - 1).toBeLessThanOrEqual(2);
    }, clock);
  },
);

test('one that ran out while the device was away is renewed when it is back', async () => {
  await joined(systemClock, 1);
  await eventually('it has run out', () => {
    return loadIdentity(state).identity.notAfter < systemClock.now() - 1000;
  });
  await opened(async (keeper) => {
    const first = loadIdentity(state).identity;
    await eventually('it was renewed', () => serialOf(keeper.current) !== serialOf(first));
    expect(keeper.current.issuedAt).toBeGreaterThan(first.notAfter);
  });
});

test('a device that was revoked gets no other certificate, by whatever way', async () => {
  await joined(systemClock, 60_000);
  const { identity } = loadIdentity(state);
  await state[Symbol.asyncDispose]();
  const body = { metadata: { annotations: { [deviceKeyAnnotation]: revokedDeviceKey } } };
  await plane.client.patch(deviceResource, 'edge-1', { kind: 'merge', body });
  const renewal = renewIdentity({ server: plane.url, identity, clock: systemClock });
  await expect(renewal).rejects.toMatchObject({ code: 'device_revoked' });
  const again = joinDevice({
    dataDirectory: join(folder.path, 'elsewhere'),
    server: plane.url,
    token: await plane.makeToken(),
    name: 'edge-1',
    platform: 'linux/amd64',
    clock: systemClock,
  });
  await expect(again).rejects.toMatchObject({ code: 'device_revoked' });
});
