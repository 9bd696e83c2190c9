import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { ContainerSpec } from './container-spec.ts';
import { cgroupParent, type HostSupport } from './host-support.ts';
import type { Instance, LaunchStrategy } from './launch-strategy.ts';
import { processStart } from './process-start.ts';
import { readOptional } from './read-optional.ts';
import { runcConfig, type RuncConfigOptions, runcProcess } from './runc-config.ts';
import type { Confinement, LimitEnforcer } from './runtime.ts';
import { shellWord } from './shell-word.ts';
import { signalProcess } from './signal-process.ts';

// Between what systemd gives to its containers and the end of 31 bits, so that it meets nobody's.
const firstHostId = 0x7000_0000;

/**
 * Who a program is in a network namespace of somebody else's. runc 1.1 cannot enter a user namespace
 * together with a network that is not its own, so there is none; the program has the same host ids all
 * the same, and is not root.
 */
function shifted(user: ContainerSpec['user']): ContainerSpec['user'] {
  return { uid: user.uid + firstHostId, gid: user.gid + firstHostId };
}

function isShifted(bundle: string): boolean {
  const { process } = JSON.parse(readFileSync(join(bundle, 'config.json'), 'utf8')) as {
    readonly process: { readonly user: ContainerSpec['user'] };
  };
  return process.user.uid >= firstHostId;
}

export interface RuncStrategyInit {
  readonly program: string;
  /** Where runc keeps its state. */
  readonly root: string;
  readonly host: HostSupport;
}

/** Launches with runc, one process per container: `run`, never `create` and then `start`. */
export function createRuncStrategy({ program, root, host }: RuncStrategyInit): LaunchStrategy {
  const run = promisify(execFile);
  // Ids are unique within a folder of state only; control groups are the machine's.
  const scope = createHash('sha256').update(root).digest('hex').slice(0, 8);

  const options = (spec: ContainerSpec, userNamespace: boolean): RuncConfigOptions => ({
    firstHostId: userNamespace ? firstHostId : undefined,
    cgroupsPath: `/${cgroupParent}/${scope}-${spec.id}`,
    cgroups: host.cgroups,
  });
  const readable = new Set<string>();
  /** Asked of the disk once a root file system; what could be read and no longer can fails to start. */
  async function isReadable(rootfs: string): Promise<boolean> {
    if (readable.has(rootfs)) return true;
    const answer = await othersMayRead(rootfs);
    if (answer) readable.add(rootfs);
    return answer;
  }
  const command = (instance: Instance, words: readonly string[]): string =>
    [program, '--root', root, '--log', instance.errorFile, '--log-format', 'json', ...words]
      .map(shellWord)
      .join(' ');

  return {
    name: 'runc',

    async layOut(spec, bundle) {
      const apart = host.userNamespaces && (await isReadable(spec.rootfs));
      const userNamespace = apart && typeof spec.network !== 'object';
      const owned = apart && !userNamespace ? { ...spec, user: shifted(spec.user) } : spec;
      const config = runcConfig(owned, options(spec, userNamespace));
      // The environment is in there, and others may pass through the folder.
      writeFileSync(join(bundle, 'config.json'), JSON.stringify(config), { mode: 0o600 });
      return confinementOf(owned, { host, userNamespace });
    },

    runLine({ id, bundle, pidFile, ...instance }) {
      return command({ id, bundle, pidFile, ...instance }, [
        'run',
        '--no-new-keyring',
        '--bundle',
        bundle,
        '--pid-file',
        pidFile,
        id,
      ]);
    },

    execLine(instance, { process: given, spec, directory }) {
      const file = join(directory, 'process.json');
      const process = isShifted(instance.bundle) ? { ...given, user: shifted(given.user) } : given;
      const description = runcProcess(process, { limits: spec.limits, cgroups: host.cgroups });
      writeFileSync(file, JSON.stringify(description));
      const { pidFile, id } = instance;
      return command(instance, ['exec', '--process', file, '--pid-file', pidFile, id]);
    },

    findProcess({ id }) {
      const text = readOptional(join(root, id, 'state.json'));
      if (text === undefined || text === '') return undefined;
      const state = JSON.parse(text) as { init_process_pid: number; init_process_start: number };
      const started = processStart(state.init_process_pid);
      return started === state.init_process_start ? state.init_process_pid : undefined;
    },

    signal(pid, signal) {
      signalProcess(pid, signal);
    },

    async destroy({ id }) {
      if (existsSync(join(root, id))) await run(program, ['--root', root, 'delete', '--force', id]);
    },

    startError({ errorFile }, exitCode) {
      return exitCode === 0 ? undefined : lastError(readOptional(errorFile) ?? '');
    },
  };
}

/** What runc says of itself goes to its own log, so it cannot be taken for the container's words. */
function lastError(log: string): string | undefined {
  const errors = log
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as { readonly level: string; readonly msg: string })
    .filter(({ level }) => level === 'error');
  return errors.at(-1)?.msg;
}

/** Whether the ids of a user namespace, which are nobody on the host, reach the files. */
async function othersMayRead(path: string): Promise<boolean> {
  for (let folder = path; ; folder = dirname(folder)) {
    if (((await stat(folder)).mode & 0o001) === 0) return false;
    if (folder === '/') return true;
  }
}

function confinementOf(
  { limits, user }: ContainerSpec,
  options: { readonly host: HostSupport; readonly userNamespace: boolean },
): Confinement {
  const { cgroups } = options.host;
  const offset = options.userNamespace ? firstHostId : 0;
  return {
    userNamespace: options.userNamespace,
    hostUser: { uid: user.uid + offset, gid: user.gid + offset },
    noNewPrivileges: true,
    readOnlyRoot: true,
    limitsEnforcedBy: {
      memory: enforcer(limits.memoryBytes, cgroups.memory, 'rlimit'),
      pids: enforcer(limits.pids, cgroups.pids, 'rlimit'),
      cpu: enforcer(limits.cpus, cgroups.cpu, 'none'),
    },
  };
}

function enforcer(
  asked: number | undefined,
  cgroup: boolean,
  otherwise: LimitEnforcer,
): LimitEnforcer {
  if (asked === undefined) return 'none';
  return cgroup ? 'cgroup' : otherwise;
}
