import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ContainerRuntime, type ContainerRuntimeInit } from './container-runtime.ts';
import type { ContainerSpec, ProcessSpec } from './container-spec.ts';
import type { Instance, LaunchStrategy } from './launch-strategy.ts';
import { processStart } from './process-start.ts';
import { readOptional } from './read-optional.ts';
import type { Runtime } from './runtime.ts';
import { shellQuote } from './shell-quote.ts';
import { shellWord } from './shell-word.ts';
import { signalProcess } from './signal-process.ts';

export interface UnconfinedRuntimeInit extends ContainerRuntimeInit {
  /** The caller knows that nothing is isolated and no limit kept. */
  readonly acceptNoIsolation: true;
}

/**
 * Runs programs with the root file system as their root and nothing else between them and the
 * device: no limits, the device's network and processes. As root it uses mount namespaces for /proc,
 * /dev and tmpfs; otherwise a user namespace too. Only for devices that have no container runtime.
 */
export async function createUnconfinedRuntime(init: UnconfinedRuntimeInit): Promise<Runtime> {
  init.log.warn('programs run without isolation and limits');
  return await ContainerRuntime.open(unconfinedStrategy(process.getuid?.() === 0), init);
}

function unconfinedStrategy(root: boolean): LaunchStrategy {
  return {
    name: 'unconfined',

    layOut(spec, bundle) {
      writeFileSync(join(bundle, 'run.sh'), script(spec, { spec, root }), { mode: 0o600 });
      return Promise.resolve({
        userNamespace: false,
        hostUser: root ? spec.user : { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
        noNewPrivileges: false,
        readOnlyRoot: false,
        limitsEnforcedBy: { memory: 'none', pids: 'none', cpu: 'none' },
      });
    },

    runLine({ bundle, pidFile }, mode) {
      // In the background the monitor leads the group that must survive the signals to this one.
      const prefix = mode === 'background' ? 'setsid --wait ' : '';
      const [path, pid] = [join(bundle, 'run.sh'), pidFile].map(shellWord);
      return `${prefix}/bin/sh ${path} ${pid}`;
    },

    execLine({ pidFile }, { process: executed, spec, directory }) {
      const path = join(directory, 'run.sh');
      writeFileSync(path, script(executed, { spec, root }));
      return `/bin/sh ${shellWord(path)} ${shellWord(pidFile)}`;
    },

    findProcess: (instance) => findProcess(instance),
    signal(pid, signal) {
      // Nothing but its group holds together what it started.
      signalProcess(signal === 'SIGKILL' ? -pid : pid, signal);
    },
    destroy(instance) {
      const pid = findProcess(instance);
      if (pid !== undefined) signalProcess(-pid, 'SIGKILL');
      return Promise.resolve();
    },
    // unshare says itself what it cannot execute, with a shell's exit codes 126 and 127.
    startError: () => undefined,
  };
}

/** The first line of /proc/<pid>/stat as the script saved it says which process it was. */
function findProcess({ pidFile }: Instance): number | undefined {
  const [pid, started] = (readOptional(pidFile) ?? '').trim().split(' ').map(Number);
  if (pid === undefined || started === undefined) return undefined;
  return processStart(pid) === started ? pid : undefined;
}

/** Announces itself as `<pid> <start>` and becomes the program, in its own view of the mounts. */
function script(
  process: ProcessSpec,
  options: { readonly spec: ContainerSpec; readonly root: boolean },
): string {
  const { spec, root } = options;
  const target = shellQuote(spec.rootfs);
  const mounts = [
    `mount --rbind /proc ${target}/proc`,
    `mount --rbind /dev ${target}/dev`,
    ...spec.tmpfs.map(
      ({ path, sizeBytes }) =>
        `mount -t tmpfs -o mode=1777,size=${sizeBytes} tmpfs ${target}${shellQuote(path)}`,
    ),
    ...(spec.binds ?? []).map(
      ({ source, path }) => `mount --bind ${shellQuote(source)} ${target}${shellQuote(path)}`,
    ),
  ];
  const user = root ? [`--setgid=${process.user.gid}`, `--setuid=${process.user.uid}`] : [];
  const environment = Object.entries(process.env).map(([name, value]) => `${name}=${value}`);
  const inner = [
    'unshare=$(command -v unshare)',
    ...mounts.map((mount) => `${mount} || exit 126`),
    [
      'exec env -i',
      ...environment.map(shellQuote),
      '"$unshare"',
      `--root=${target}`,
      `--wd=${shellQuote(process.workingDirectory)}`,
      ...user,
      '--',
      ...process.command.map(shellQuote),
    ].join(' '),
  ].join('\n');
  const { network } = spec;
  const enter =
    typeof network === 'object' ? `nsenter --net=${shellQuote(network.namespace)} ` : '';
  const namespaces = root ? '--mount' : '--mount --user --map-root-user';
  return [
    'read -r stat </proc/$$/stat',
    // shellcheck disable=SC2086
    'set -- "$1" ${stat##*)}',
    'echo "$$ ${21}" >"$1"',
    `exec ${enter}unshare ${namespaces} --propagation private /bin/sh -c ${shellQuote(inner)}`,
    '',
  ].join('\n');
}
