import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TaplineError } from '@tapline/base';
import type { Instance, LaunchStrategy } from '../launch-strategy.ts';
import { processStart } from '../process-start.ts';
import { readOptional } from '../read-optional.ts';
import { shellWord } from '../shell-word.ts';
import { signalProcess } from '../signal-process.ts';
import { guestSpecOf } from './guest-spec.ts';

/** The exit code of a guest that did not begin. */
const notStarted = 125;

/** Beside the sources, or beside the bundled program. */
export function guestProgram(): string {
  const name = import.meta.url.endsWith('.ts') ? 'guest-program.ts' : 'guest-program.js';
  return fileURLToPath(new URL(name, import.meta.url));
}

/**
 * A container is a process of `guest-program`, which has the machine of its guests. What was translated
 * is kept in `codeFolder`, for all containers.
 */
export function createWasmStrategy(program: string, codeFolder: string): LaunchStrategy {
  return {
    name: 'wasm',

    layOut(spec, bundle) {
      if (spec.binds !== undefined && spec.binds.length > 0) {
        throw new TaplineError(
          'container_invalid',
          `container ${spec.id} binds ${spec.binds[0]?.source}; guests see no folders of the device`,
        );
      }
      if (typeof spec.network === 'object') {
        throw new TaplineError(
          'container_invalid',
          `container ${spec.id} is in the namespace ${spec.network.namespace}; guests have no interfaces`,
        );
      }
      const guest = guestSpecOf(spec, codeFolder);
      writeFileSync(join(bundle, 'guest.json'), JSON.stringify(guest), { mode: 0o600 });
      return Promise.resolve({
        userNamespace: false,
        hostUser: { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
        // Guests have only the system calls of their machine, and their files are never the device's.
        noNewPrivileges: true,
        readOnlyRoot: true,
        limitsEnforcedBy: { memory: 'machine', pids: 'machine', cpu: 'none' },
      });
    },

    runLine({ bundle, pidFile }, mode) {
      // In the background the monitor leads the group that must survive the signals to this one.
      const prefix = mode === 'background' ? 'setsid --wait ' : '';
      return prefix + line('run', dirname(pidFile), join(bundle, 'guest.json'));
    },

    execLine(_, { process: executed, directory }) {
      const path = join(directory, 'process.json');
      writeFileSync(path, JSON.stringify(executed), { mode: 0o600 });
      return line('exec', directory, path);
    },

    findProcess: (instance) => findProcess(instance),
    signal: (pid, signal) => signalProcess(pid, signal),
    destroy(instance) {
      const pid = findProcess(instance);
      if (pid !== undefined) signalProcess(pid, 'SIGKILL');
      return Promise.resolve();
    },
    startError: ({ errorFile }, exitCode) =>
      exitCode === notStarted ? readOptional(errorFile) || undefined : undefined,
  };

  function line(mode: 'run' | 'exec', folder: string, spec: string): string {
    // A machine has memories of its own; what Node keeps young is little.
    const node = [
      process.execPath,
      '--max-semi-space-size=4',
      '--disable-warning=ExperimentalWarning',
    ];
    return [...node, program, mode, folder, spec].map(shellWord).join(' ');
  }
}

/** The pid file says which process it was. */
function findProcess({ pidFile }: Instance): number | undefined {
  const [pid, started] = (readOptional(pidFile) ?? '').trim().split(' ').map(Number);
  if (pid === undefined || started === undefined) return undefined;
  return processStart(pid) === started ? pid : undefined;
}
