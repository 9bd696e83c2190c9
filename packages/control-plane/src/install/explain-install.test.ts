import { expect, it } from 'vitest';
import { formatPlan } from '@tapline/reconcile';
import type { Device, Install, InstallStatus } from '@tapline/resources';
import { explainInstall } from './explain-install.ts';

const image = {
  repository: 'jq',
  digest: 'sha256:1',
  platform: 'linux/arm64',
  sizeBytes: 1,
  unpackedBytes: 1,
};

function install(status?: InstallStatus): Install {
  return {
    apiVersion: 'tapline.dev/v1alpha1',
    kind: 'Install',
    metadata: { name: 'd1.jq' },
    spec: { device: 'd1', delivery: 'jq', formula: 'jq', version: '1.7.1', revision: 2, image },
    ...(status === undefined ? {} : { status }),
  };
}

function device(connected: boolean): Device {
  return {
    apiVersion: 'tapline.dev/v1alpha1',
    kind: 'Device',
    metadata: { name: 'd1' },
    spec: { platform: 'linux/arm64', role: 'device' },
    status: { presence: { connected, epoch: 1, since: '2026-01-01T00:00:00Z' } },
  };
}

it.each<[Install, Device | undefined, string]>([
  [
    install(),
    device(false),
    'do    pull jq@sha256:1 to d1\nwait  device d1: it is offline (since 2026-01-01T00:00:00Z)\n',
  ],
  [install(), undefined, 'do    pull jq@sha256:1 to d1\nwait  device d1: it does not exist\n'],
  [
    install({ observedRevision: 2, state: 'Starting' }),
    device(true),
    'do    start jq 1.7.1 on d1 and check its health\n' +
      'wait  device d1: it is connected and works on jq 1.7.1 at revision 2\n',
  ],
  // What was ready before says nothing about the revision it is to have now.
  [
    install({ observedRevision: 1, state: 'Ready' }),
    device(true),
    'do    pull jq@sha256:1 to d1\nwait  device d1: it is connected and works on jq 1.7.1 at revision 2\n',
  ],
  [install({ observedRevision: 2, state: 'Ready' }), device(true), 'converged: nothing to do\n'],
  [
    install({
      observedRevision: 2,
      state: 'RolledBack',
      error: { code: 'health_failed', message: 'exit code 1' },
    }),
    device(true),
    'wait  device d1: jq 1.7.1 at revision 2: RolledBack with health_failed: exit code 1\n',
  ],
])('says what an install waits for (%#)', (object, on, expected) => {
  expect(formatPlan(explainInstall(object, on))).toBe(expected);
});
