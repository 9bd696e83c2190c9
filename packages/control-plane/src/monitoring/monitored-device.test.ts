import type { Attachment, Device, Install, Node } from '@tapline/resources';
import { describe, expect, test } from 'vitest';
import { monitoredDevice } from './monitored-device.ts';

const nowMs = Date.parse('2026-06-01T00:00:00Z');
const metadata = { name: 'edge-1', uid: 'u', resourceVersion: '1' };

function device(status: Device['status'] = {}): Device {
  return {
    apiVersion: 'tapline.dev/v1alpha1',
    kind: 'Device',
    metadata,
    spec: { platform: 'linux/arm64', owner: 'dana', role: 'device' },
    status,
  };
}

function statesOf(of: Device, more: Partial<Parameters<typeof monitoredDevice>[0]> = {}) {
  const facts = { device: of, node: undefined, attachments: [], installs: [], ...more };
  const host = monitoredDevice(facts, nowMs);
  return Object.fromEntries([
    ['', `${host.outcome.state} ${host.outcome.output}`],
    ...host.checks.map(({ name, outcome }) => [name, `${outcome.state} ${outcome.output}`]),
  ]) as Readonly<Record<string, string>>;
}

test('a device that has said nothing is down, and its checks are unknown', () => {
  expect(statesOf(device())).toEqual({
    '': '1 has not connected yet',
    certificate: '3 has not reported the end of its certificate yet',
    clock: '3 has not reported its clock yet',
    disk: '3 has not reported its disk space yet',
    packages: '0 0 installed',
    tunnel: '3 has not reported over a tunnel yet',
  });
});

test('a device that is well', () => {
  const well = device({
    presence: { connected: true, epoch: 4, since: '2026-05-31T08:00:00Z' },
    clockSkewSeconds: -0.25,
    certificateNotAfter: '2026-07-01T00:00:00Z',
    storage: { freeBytes: 6e9, usedBytes: 3e9, reservedBytes: 1e9 },
  });
  expect(statesOf(well)).toEqual({
    '': '0 session 4 is open since 2026-05-31T08:00:00Z',
    certificate: '0 ends 2026-07-01T00:00:00Z',
    clock: '0 is 0.25 s behind',
    disk: '0 5.6 GiB free of 9.3 GiB',
    packages: '0 0 installed',
    tunnel: '0 session 4 is open since 2026-05-31T08:00:00Z',
  });
});

describe('limits', () => {
  test.each([
    ['2026-06-01T06:00:00Z', 0],
    ['2026-06-01T05:59:00Z', 1],
    ['2026-06-01T01:59:00Z', 2],
    ['2026-05-31T12:00:00Z', 2],
  ])('a certificate until %s is %i', (certificateNotAfter, state) => {
    expect(statesOf(device({ certificateNotAfter }))['certificate']?.[0]).toBe(String(state));
  });

  test.each([
    [29, 0],
    [-30, 1],
    [240, 2],
  ])('a clock %i s off is %i', (clockSkewSeconds, state) => {
    expect(statesOf(device({ clockSkewSeconds }))['clock']?.[0]).toBe(String(state));
  });

  test.each([
    [10, 0],
    [9, 1],
    [2, 2],
    [0, 2],
  ])('%i of 100 bytes free is %i', (freeBytes, state) => {
    const storage = { freeBytes, usedBytes: 100 - freeBytes, reservedBytes: 0 };
    expect(statesOf(device({ storage }))['disk']?.[0]).toBe(String(state));
  });
});

test('packages that failed or went back are named', () => {
  const install = (formula: string, state: string) =>
    ({ spec: { formula, device: 'edge-1' }, status: { state } }) as unknown as Install;
  const installs = [
    install('jq', 'Ready'),
    install('wget', 'Failed'),
    install('git', 'RolledBack'),
  ];
  expect(statesOf(device(), { installs })['packages']).toBe('2 failed: wget; rolled back: git');
  expect(statesOf(device(), { installs: installs.slice(2) })['packages']).toBe(
    '1 rolled back: git',
  );
});

test('a node has more checks: itself, and each segment on it', () => {
  const node = {
    metadata,
    spec: { device: 'edge-1' },
    status: {
      conditions: [
        { type: 'Ready', status: 'False', reason: 'Offline', message: 'is not connected' },
      ],
    },
  } as unknown as Node;
  const attachment = (segment: string, status: Attachment['status']) =>
    ({ spec: { segment, node: 'edge-1', epoch: 3 }, status }) as unknown as Attachment;
  const attachments = [
    attachment('red', {
      state: 'Failed',
      observedEpoch: 3,
      error: { code: 'x', message: 'no VNI' },
    }),
    attachment('blue', { state: 'Ready', observedEpoch: 3 }),
    attachment('green', { state: 'Ready', observedEpoch: 2 }),
  ];
  expect(statesOf(device(), { node, attachments })).toMatchObject({
    node: '2 is not connected',
    'segment-blue': '0 version 3 is applied',
    'segment-green': '1 version 3 is not applied yet, 2 is',
    'segment-red': '2 failed: no VNI',
  });
});
