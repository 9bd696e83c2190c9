import { TaplineError } from '@tapline/base';
import { byteString } from './byte-string.ts';
import { createKernel, type KernelOptions } from './create-kernel.ts';
import { errno, LinuxError } from './errno.ts';
import { anonymousInode } from './files/anonymous-inode.ts';
import type { Credentials } from './files/access.ts';
import {
  type CreateStreamInode,
  type HostInput,
  type HostOutput,
  openHostInput,
  openHostOutput,
} from './files/host-stream.ts';
import { findPlace, pathInside, resolvePath } from './files/resolve-path.ts';
import type { GuestProcess } from './kernel/guest-process.ts';
import type { Kernel } from './kernel/kernel.ts';
import { pathContext } from './kernel/path-context.ts';
import { runKernel, type RunKernelOptions } from './kernel/run-kernel.ts';
import { sendSignal } from './kernel/send-signal.ts';
import { signal, signalCode } from './kernel/signals.ts';
import type { Task } from './kernel/task.ts';
import { execute } from './program/execute.ts';
import { connectConsole, type HostTerminal } from './terminal/host-terminal.ts';

export interface GuestProgram {
  /** Absolute, or from `folder`. */
  readonly path: string;
  readonly argv: readonly string[];
  readonly env: readonly string[];
  readonly folder: string;
  /** Its terminal; those of the three below that are left out are it, too. */
  readonly terminal?: HostTerminal;
  readonly stdin?: HostInput;
  readonly stdout?: HostOutput;
  readonly stderr?: HostOutput;
  /** Who it runs as; the superuser when left out. */
  readonly user?: Credentials;
}

/** A program that was started, in a session of its own. */
export interface StartedProgram {
  /** As a shell has it: 128 and the signal's number for a program that was killed. */
  readonly ended: Promise<number>;
  /** To its process; one that has ended hears nothing. */
  signal(number: number): void;
  /** Kills it, and what it has started in its process group. */
  kill(): void;
}

/** A system for guests: its files and memory are shared by all that is started in it. */
export interface GuestSystem {
  /** How often system calls were made that there are not, by number. */
  readonly unknownSystemCalls: ReadonlyMap<number, number>;
  /** How often there was no more memory, or no more room for files, within the limits. */
  readonly refused: { readonly memory: number; readonly storage: number };
  /** Throws `program_missing`, `program_unsupported`, `guest_memory`. */
  start(program: GuestProgram): StartedProgram;
  /** Runs all that was started, and will be, until the program has ended; answers its exit code. */
  run(program: StartedProgram, options: RunKernelOptions): Promise<number>;
}

export function openGuestSystem(options: KernelOptions): GuestSystem {
  const kernel = createKernel(options);
  const started = new Map<StartedProgram, GuestProcess>();
  const consoles = new Map<StartedProgram, () => Promise<void>>();
  return {
    unknownSystemCalls: kernel.unknownSystemCalls,
    get refused() {
      return { memory: kernel.memory.refused, storage: kernel.storage.refused };
    },
    start(wanted) {
      const task = kernel.createFirst();
      const { process } = task;
      const { promise, resolve } = Promise.withResolvers<number>();
      const look = (): void => {
        if (process.exitStatus === undefined) return;
        process.released.remove(look);
        started.delete(program);
        resolve(exitCodeOf(process.exitStatus));
      };
      process.released.add(look);
      const program: StartedProgram = {
        ended: promise,
        signal: (number) => sendSignal(process, { signal: number, code: signalCode.user }),
        kill: () =>
          void kernel.sendToGroup(process.pid, { signal: signal.kill, code: signalCode.user }),
      };
      try {
        startIn(kernel, task, wanted);
      } catch (error) {
        kernel.exitProcess(process, 127 << 8);
        if (error instanceof LinuxError) throw explain(error, wanted.path, options.memoryLimit);
        throw error;
      }
      started.set(program, process);
      if (wanted.terminal !== undefined)
        consoles.set(program, connectConsole(kernel, wanted.terminal));
      // Nobody else may be running, and the kernel asleep.
      kernel.resume(task);
      return program;
    },
    async run(program, how) {
      const process = started.get(program);
      try {
        if (process !== undefined) await runKernel(kernel, process, how);
        return await program.ended;
      } finally {
        await consoles.get(program)?.();
        consoles.delete(program);
      }
    },
  };
}

function exitCodeOf(status: number): number {
  const killed = status & 0x7f;
  return killed === 0 ? status >> 8 : 128 + killed;
}

function startIn(kernel: Kernel, task: Task, wanted: GuestProgram): void {
  const { process } = task;
  if (wanted.user !== undefined) process.credentials = wanted.user;
  openStandard(kernel, task, wanted);
  const path = byteString(wanted.path);
  const folder = resolvePath(pathContext(task), byteString(wanted.folder), { followLast: true });
  if (folder.kind !== 'directory') throw new LinuxError(errno.notDirectory);
  process.folder = folder;
  const place = findPlace(pathContext(task), path, { followLast: true });
  const { inode } = place;
  if (inode === undefined) throw new LinuxError(errno.noEntry);
  execute(task, {
    inode,
    path,
    canonical: pathInside(place.parent, place.name, process.root),
    argv: wanted.argv.map(byteString),
    env: wanted.env.map(byteString),
  });
}

function openStandard(kernel: Kernel, task: Task, wanted: GuestProgram): void {
  const { credentials, descriptors } = task.process;
  const { system } = kernel.root;
  const { terminal, stdin, stdout, stderr } = wanted;
  const { uid, gid } = credentials;
  const createInode: CreateStreamInode = (open) =>
    anonymousInode(system, 'fifo', { uid, gid, open });
  const console = terminal === undefined ? undefined : kernel.terminals.openConsole(task);
  descriptors.add(
    stdin === undefined && console !== undefined
      ? console
      : openHostInput(stdin ?? noInput(), createInode),
  );
  for (const output of [stdout, stderr]) {
    descriptors.add(
      output === undefined && console !== undefined
        ? console
        : openHostOutput(output ?? nothing, createInode),
    );
  }
}

function nothing(): void {}

async function* noInput(): AsyncGenerator<Uint8Array> {}

/** Where it cannot be started, that is said as a shell would. */
function explain(error: LinuxError, path: string, memoryLimit: number): TaplineError {
  switch (error.errno) {
    case errno.noEntry:
      return new TaplineError(
        'program_missing',
        `there is no ${path}, or not what it needs to start`,
        { cause: error },
      );
    case errno.noMemory:
      return new TaplineError(
        'guest_memory',
        `${path} needs more memory than the limit of ${memoryLimit} bytes`,
        { cause: error, hint: 'raise the memory limit' },
      );
    default:
      return new TaplineError(
        'program_unsupported',
        `${path} is no program for aarch64 Linux, or may not be run (error ${error.errno})`,
        { cause: error },
      );
  }
}
