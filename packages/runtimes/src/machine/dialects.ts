import { isRecord } from '@tapline/base';
import type { ContainerSpec } from '../container-spec.ts';
import type { MachineDialect } from './machine-dialect.ts';
import { parseAppleList } from './parse-apple-list.ts';
import { parseEngineList } from './parse-engine-list.ts';

/** A network of Apple's that leads nowhere: it has no mode without one. */
const closedNetwork = 'tapline-none';

/** Apple's container, a virtual machine each: github.com/apple/container, from 0.1 to 1.x. */
export const appleContainer: MachineDialect = {
  name: 'apple-container',
  program: ['container'],
  machine: {
    command: ['container', 'system', 'status'],
    // A text before 1.0, and since then unless JSON is asked for.
    isUp: (output) => /\brunning\b/.test(output) && !/not running/.test(output),
    hint: 'start it with `container system start`',
  },
  prepare: [['network', 'create', '--internal', closedNetwork]],
  list: ['ls', '--all', '--format', 'json'],
  parseList: parseAppleList,
  findImage: (image) => ['image', 'inspect', image],
  loadImage: (archive) => ['image', 'load', '--input', archive],
  runFlags: ({ limits, network, tmpfs }) => [
    '--progress',
    'none',
    '--read-only',
    ...(network === 'none' ? ['--network', closedNetwork] : []),
    // Whole cores of its machine, and no fewer than one.
    ...(limits.cpus === undefined ? [] : ['--cpus', String(Math.max(1, Math.ceil(limits.cpus)))]),
    ...tmpfs.flatMap(({ path }) => ['--tmpfs', path]),
  ],
  kill: (name, signal) => ['kill', '--signal', signal, name],
};

/** Colima with its Docker engine: one machine for all containers. */
export const colima: MachineDialect = {
  ...engine('colima'),
  program: ['docker', '--context', 'colima'],
  machine: {
    command: ['colima', 'list', '--json'],
    isUp: (output) =>
      output
        .trim()
        .split('\n')
        .filter((line) => line !== '')
        .some((line) => field(JSON.parse(line), 'status') === 'Running'),
    hint: 'start it with `colima start`',
  },
  prepare: [],
};

/** Podman's machine: one for all containers. */
export const podmanMachine: MachineDialect = {
  ...engine('podman-machine'),
  program: ['podman'],
  machine: {
    command: ['podman', 'machine', 'list', '--format', 'json'],
    isUp: (output) => {
      const machines: unknown = JSON.parse(output);
      return Array.isArray(machines) && machines.some((one) => field(one, 'Running') === true);
    },
    hint: 'start it with `podman machine start`',
  },
  prepare: [],
};

/** All of them, by the names that they are asked for by. */
export const machineDialects: Readonly<Record<MachineDialect['name'], MachineDialect>> = {
  'apple-container': appleContainer,
  colima,
  'podman-machine': podmanMachine,
};

/** What Docker and Podman have in common. */
function engine(
  name: MachineDialect['name'],
): Omit<MachineDialect, 'program' | 'machine' | 'prepare'> {
  return {
    name,
    list: ['ps', '--all', '--no-trunc', '--format', 'json'],
    parseList: parseEngineList,
    findImage: (image) => ['image', 'inspect', image],
    loadImage: (archive) => ['load', '--input', archive],
    runFlags: engineFlags,
    kill: (container, signal) => ['kill', '--signal', signal, container],
  };
}

function engineFlags({ hostname, limits, network, tmpfs }: ContainerSpec): readonly string[] {
  return [
    '--read-only',
    '--hostname',
    hostname,
    '--cap-drop=ALL',
    '--security-opt=no-new-privileges',
    // Signals come by `kill`: the command line is not to pass on those that it gets.
    '--sig-proxy=false',
    `--network=${network === 'none' ? 'none' : 'host'}`,
    `--ulimit=nofile=${limits.openFiles ?? 1024}`,
    ...(limits.cpus === undefined ? [] : [`--cpus=${limits.cpus}`]),
    ...(limits.pids === undefined ? [] : [`--pids-limit=${limits.pids}`]),
    ...tmpfs.flatMap(({ path, sizeBytes }) => ['--tmpfs', `${path}:mode=1777,size=${sizeBytes}`]),
  ];
}

function field(value: unknown, name: string): unknown {
  return isRecord(value) ? value[name] : undefined;
}
