import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { errorMessage, type Log, TaplineError } from '@tapline/base';
import type { ContainerSpec } from '../container-spec.ts';
import type { LaunchStrategy } from '../launch-strategy.ts';
import { readOptional } from '../read-optional.ts';
import { shellWord } from '../shell-word.ts';
import { signalProcess } from '../signal-process.ts';
import type { MachineDialect } from './machine-dialect.ts';
import { environmentFile, execWords, runWords } from './machine-words.ts';
import { makeRootfsArchive } from './rootfs-archive.ts';

export interface MachineStrategyInit {
  readonly dialect: MachineDialect;
  /** Names of containers are the machine's: each folder of a runtime has its own. */
  readonly directory: string;
  /** What the command line needs to find its machine, such as HOME and PATH. */
  readonly environment: Readonly<Record<string, string>>;
  readonly log: Log;
}

const run = promisify(execFile);
const outputBytes = 64 * 1024 * 1024;
const architectures: Readonly<Partial<Record<string, string>>> = { x64: 'amd64', arm64: 'arm64' };

/**
 * Launches containers in a virtual machine by the command line of its program. That stays in the
 * foreground of a monitor as runc does, so that logs and exit codes are kept by the same means.
 */
export function createMachineStrategy(init: MachineStrategyInit): LaunchStrategy {
  const { dialect, environment, log } = init;
  const [program = '', ...before] = dialect.program;
  const scope = createHash('sha256').update(init.directory).digest('hex').slice(0, 8);
  const nameOf = ({ id }: { readonly id: string }): string => `tapline-${scope}-${id}`;
  const loading = new Map<string, Promise<void>>();
  const names = new Map<number, string>();

  function ask(words: readonly string[]): Promise<string> {
    const options = { env: environment, maxBuffer: outputBytes };
    return run(program, [...before, ...words], options).then(({ stdout }) => stdout);
  }

  /** A root file system never changes at its path, so its image is loaded once. */
  async function imageOf({ rootfs }: ContainerSpec): Promise<string> {
    const tag = createHash('sha256').update(rootfs).digest('hex').slice(0, 16);
    const image = `localhost/tapline-${scope}:${tag}`;
    const loaded = loading.get(image) ?? load(image, rootfs);
    loading.set(image, loaded);
    try {
      await loaded;
    } catch (error) {
      loading.delete(image);
      throw error;
    }
    return image;
  }

  async function load(image: string, rootfs: string): Promise<void> {
    try {
      await ask(dialect.findImage(image));
      return;
    } catch {
      // It is not there yet.
    }
    const architecture = architectures[process.arch] ?? process.arch;
    await using archive = await makeRootfsArchive(rootfs, { image, architecture });
    await ask(dialect.loadImage(archive.path));
  }

  const line = (words: readonly string[]): string =>
    [...dialect.program, ...words].map(shellWord).join(' ');
  const exports = Object.entries(environment).map(
    ([name, value]) => `export ${name}=${shellWord(value)}`,
  );

  return {
    name: dialect.name,

    async layOut(spec, bundle) {
      const environmentPath = join(bundle, 'environment');
      writeFileSync(environmentPath, environmentFile(spec), { mode: 0o600 });
      const idFile = join(bundle, 'id');
      const about = {
        name: nameOf(spec),
        image: await imageOf(spec),
        environment: environmentPath,
        idFile,
      };
      const script = [
        ...exports,
        `if [ "$1" = foreground ]; then exec ${line(runWords(dialect, spec, { ...about, mode: 'foreground' }))}; fi`,
        `rm -f ${shellWord(idFile)}`,
        `${line(runWords(dialect, spec, { ...about, mode: 'background' }))} &`,
        'child=$!',
        // The command line has written it once the container is there.
        `until [ -s ${shellWord(idFile)} ]; do kill -0 $child 2>/dev/null || break; sleep 0.05; done`,
        `[ -s ${shellWord(idFile)} ] && echo "$child" >"$2"`,
        'wait $child',
        '',
      ].join('\n');
      writeFileSync(join(bundle, 'run.sh'), script, { mode: 0o600 });
      return {
        userNamespace: false,
        hostUser: spec.user,
        noNewPrivileges: dialect.name !== 'apple-container',
        readOnlyRoot: true,
        limitsEnforcedBy: { memory: 'machine', pids: 'machine', cpu: 'machine' },
      };
    },

    runLine: ({ bundle, pidFile }, mode) =>
      ['/bin/sh', join(bundle, 'run.sh'), mode, pidFile].map(shellWord).join(' '),

    execLine(instance, { process: executed, directory }) {
      const environmentPath = join(directory, 'environment');
      writeFileSync(environmentPath, environmentFile(executed), { mode: 0o600 });
      const name = nameOf(instance);
      const words = execWords(executed, { name, environment: environmentPath });
      const path = join(directory, 'exec.sh');
      writeFileSync(path, [...exports, `exec ${line(words)}`, ''].join('\n'), { mode: 0o600 });
      return `/bin/sh ${shellWord(path)}`;
    },

    findProcess(instance) {
      const pid = Number(readOptional(instance.pidFile)?.trim() ?? Number.NaN);
      if (!Number.isInteger(pid) || !commandOf(pid).includes(nameOf(instance))) return undefined;
      names.set(pid, nameOf(instance));
      return pid;
    },

    signal(pid, signal) {
      const name = names.get(pid);
      if (name === undefined) return;
      // The container is meant, and the command line ends with it.
      ask(dialect.kill(name, signal)).catch((error: unknown) => {
        log.warn('a container in a machine was not signalled', { name, error });
        if (signal === 'SIGKILL') signalProcess(pid, 'SIGKILL');
      });
    },

    async destroy(instance) {
      const name = nameOf(instance);
      const listed = dialect.parseList(await ask(dialect.list));
      if (listed.some((one) => one.name === name)) await ask(['rm', '--force', name]);
    },

    // Docker's and Podman's word for what they could not do themselves.
    startError: (_instance, exitCode) =>
      exitCode === 125 ? `${program} could not run it; its output says why` : undefined,
  };
}

/** Throws `runtime_unavailable` where the machine does not run, or there is none. */
export async function assertMachine(
  { machine, program, prepare }: MachineDialect,
  environment: Readonly<Record<string, string>>,
): Promise<void> {
  const [first = '', ...words] = machine.command;
  let output: string;
  try {
    ({ stdout: output } = await run(first, words, { env: environment }));
  } catch (cause) {
    const message = `${first} cannot be executed: ${errorMessage(cause)}`;
    throw new TaplineError('runtime_unavailable', message, { cause, hint: machine.hint });
  }
  if (!machine.isUp(output)) {
    throw new TaplineError('runtime_unavailable', `the machine of ${first} does not run`, {
      hint: machine.hint,
    });
  }
  const [command = '', ...before] = program;
  for (const step of prepare) {
    await run(command, [...before, ...step], { env: environment }).catch(() => undefined);
  }
}

/** The command line of a process; empty where there is none. */
function commandOf(pid: number): string {
  if (process.platform === 'linux') {
    return (readOptional(`/proc/${pid}/cmdline`) ?? '').replaceAll('\0', ' ');
  }
  try {
    return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
  } catch {
    return '';
  }
}
