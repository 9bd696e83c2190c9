import { TaplineError } from '@tapline/base';
import { byteString } from './byte-string.ts';
import { createKernel, type KernelOptions } from './create-kernel.ts';
import { errno, LinuxError } from './errno.ts';
import { anonymousInode } from './files/anonymous-inode.ts';
import type { Credentials } from './files/access.ts';
import {
  type HostInput,
  type HostOutput,
  openHostInput,
  openHostOutput,
} from './files/host-stream.ts';
import { findPlace, pathInside, resolvePath } from './files/resolve-path.ts';
import type { Kernel } from './kernel/kernel.ts';
import { pathContext } from './kernel/path-context.ts';
import { runKernel } from './kernel/run-kernel.ts';
import type { Task } from './kernel/task.ts';
import { execute } from './program/execute.ts';
import { connectConsole, type HostTerminal } from './terminal/host-terminal.ts';

export interface RunProgramOptions extends KernelOptions {
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
  /** Instructions, calls and turns of loops after which a program is given up. */
  readonly fuel: number;
  readonly signal?: AbortSignal;
}

export interface ProgramResult {
  /** As a shell has it: 128 and the signal's number for a program that was killed. */
  readonly exitCode: number;
  /** How often system calls were made that there are not, by number. */
  readonly unknownSystemCalls: ReadonlyMap<number, number>;
  /** How often there was no more memory, or no more room for files, within the limits. */
  readonly refused: { readonly memory: number; readonly storage: number };
}

/** Runs a program for AArch64 Linux, and all that it starts, until it ends. */
export async function runProgram(options: RunProgramOptions): Promise<ProgramResult> {
  const kernel = createKernel(options);
  const task = kernel.createFirst();
  const { process } = task;
  if (options.user !== undefined) process.credentials = options.user;
  openStandard(kernel, task, options);
  start(task, options);
  const terminal = options.terminal;
  const disconnect = terminal === undefined ? undefined : connectConsole(kernel, terminal);
  try {
    const { fuel, signal } = options;
    const status = await runKernel(kernel, process, {
      fuel,
      ...(signal !== undefined && { signal }),
    });
    const killed = status & 0x7f;
    return {
      exitCode: killed === 0 ? status >> 8 : 128 + killed,
      unknownSystemCalls: kernel.unknownSystemCalls,
      refused: { memory: kernel.memory.refused, storage: kernel.storage.refused },
    };
  } finally {
    await disconnect?.();
  }
}

function openStandard(kernel: Kernel, task: Task, options: RunProgramOptions): void {
  const { descriptors } = task.process;
  const { system } = kernel.root;
  const { terminal, stdin, stdout, stderr } = options;
  const inode = (): ReturnType<typeof anonymousInode> => anonymousInode(system, 'fifo');
  const console = terminal === undefined ? undefined : kernel.terminals.openConsole(task);
  descriptors.add(
    stdin === undefined && console !== undefined
      ? console
      : openHostInput(stdin ?? noInput(), inode()),
  );
  for (const output of [stdout, stderr]) {
    descriptors.add(
      output === undefined && console !== undefined
        ? console
        : openHostOutput(output ?? nothing, inode()),
    );
  }
}

function nothing(): void {}

async function* noInput(): AsyncGenerator<Uint8Array> {}

/** Where it cannot be started, that is said as a shell would. */
function start(task: Task, options: RunProgramOptions): void {
  const { process } = task;
  const path = byteString(options.path);
  try {
    const folder = resolvePath(pathContext(task), byteString(options.folder), { followLast: true });
    if (folder.kind !== 'directory') throw new LinuxError(errno.notDirectory);
    process.folder = folder;
    const place = findPlace(pathContext(task), path, { followLast: true });
    const { inode } = place;
    if (inode === undefined) throw new LinuxError(errno.noEntry);
    execute(task, {
      inode,
      path,
      canonical: pathInside(place.parent, place.name, process.root),
      argv: options.argv.map(byteString),
      env: options.env.map(byteString),
    });
  } catch (error) {
    if (error instanceof LinuxError) throw explain(error, options);
    throw error;
  }
}

function explain(error: LinuxError, options: RunProgramOptions): TaplineError {
  const { path } = options;
  switch (error.errno) {
    case errno.noEntry:
      return new TaplineError(
        'program_missing',
        `there is no ${path}, or not what it needs to start`,
        {
          cause: error,
        },
      );
    case errno.noMemory:
      return new TaplineError(
        'guest_memory',
        `${path} needs more memory than the limit of ${options.memoryLimit} bytes`,
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
