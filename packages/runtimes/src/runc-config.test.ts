import { expect, test } from 'vitest';
import type { ContainerSpec } from './container-spec.ts';
import { runcConfig, type RuncConfigOptions } from './runc-config.ts';

const spec: ContainerSpec = {
  id: 'c',
  rootfs: '/images/c',
  command: ['tool'],
  env: { PATH: '/bin' },
  workingDirectory: '/',
  user: { uid: 10, gid: 20 },
  hostname: 'h',
  limits: { memoryBytes: 1000, pids: 5, cpus: 0.5 },
  tmpfs: [],
  network: 'none',
  labels: {},
};
const everything: RuncConfigOptions = {
  firstHostId: 1000,
  cgroupsPath: '/tapline/c',
  cgroups: { memory: true, pids: true, cpu: true },
};
const nothing: RuncConfigOptions = {
  ...everything,
  firstHostId: undefined,
  cgroups: { memory: false, pids: false, cpu: false },
};

interface Config {
  readonly process: {
    readonly rlimits: readonly { readonly type: string; readonly hard: number }[];
  };
  readonly mounts: readonly {
    readonly destination: string;
    readonly options?: readonly string[];
  }[];
  readonly linux: {
    readonly namespaces: readonly { readonly type: string }[];
    readonly resources: Readonly<Record<string, unknown>>;
  };
}
const configOf = (options: RuncConfigOptions, more: Partial<ContainerSpec> = {}): Config =>
  runcConfig({ ...spec, ...more }, options) as Readonly<Record<string, unknown>> & Config;

test('control groups keep the limits where there are any', () => {
  const { process, linux } = configOf(everything);
  expect(linux.resources).toMatchObject({
    memory: { limit: 1000 },
    pids: { limit: 5 },
    cpu: { quota: 50_000, period: 100_000 },
  });
  expect(process.rlimits.map(({ type }) => type)).toEqual(['RLIMIT_NOFILE']);
});

test('rlimits stand in for missing control groups', () => {
  const { process, linux } = configOf(nothing);
  expect(Object.keys(linux.resources)).toEqual(['devices']);
  expect(process.rlimits).toEqual([
    { type: 'RLIMIT_NOFILE', soft: 1024, hard: 1024 },
    { type: 'RLIMIT_NPROC', soft: 5, hard: 5 },
    { type: 'RLIMIT_DATA', soft: 1000, hard: 1000 },
  ]);
});

test('namespaces and /sys follow the network and the user namespace', () => {
  const shape = (options: RuncConfigOptions, network: ContainerSpec['network']): string => {
    const { linux, mounts } = configOf(options, { network });
    const sys = mounts.some(({ destination }) => destination === '/sys') ? ' /sys' : '';
    return linux.namespaces.map(({ type }) => type).join(' ') + sys;
  };
  expect(shape(everything, 'none')).toBe('pid ipc uts mount network user /sys');
  expect(shape(everything, 'host')).toBe('pid ipc uts mount user');
  expect(shape(everything, { namespace: '/run/netns/a' })).toBe('pid ipc uts mount network user');
  expect(shape(nothing, 'none')).toBe('pid ipc uts mount network /sys');
  expect(shape(nothing, 'host')).toBe('pid ipc uts mount /sys');
});

test('memory file systems belong to the user, parts of the host say whether they are writable', () => {
  const { mounts } = configOf(everything, {
    tmpfs: [{ path: '/run', sizeBytes: 4096 }],
    binds: [{ source: '/data', path: '/srv', readOnly: true }],
  });
  expect(mounts.slice(-2)).toEqual([
    {
      destination: '/run',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', 'nodev', 'size=4096', 'uid=10', 'gid=20'],
    },
    {
      destination: '/srv',
      type: 'bind',
      source: '/data',
      options: ['rbind', 'nosuid', 'nodev', 'ro'],
    },
  ]);
});
