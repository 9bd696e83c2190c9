import { cpuLayout, guestPageSize } from '@tapline/a64';
import { byteStringOf } from '../byte-string.ts';
import { errno, LinuxError } from '../errno.ts';
import { requireAccess } from '../files/access.ts';
import type { Inode } from '../files/inode.ts';
import { findPlace, pathInside, resolvePath } from '../files/resolve-path.ts';
import { pathContext } from '../kernel/path-context.ts';
import type { GuestProcess } from '../kernel/guest-process.ts';
import { ignoreHandler } from '../kernel/signals.ts';
import type { Task } from '../kernel/task.ts';
import { viewOf } from '../memory/guest-memory.ts';
import { AddressSpace } from '../memory/address-space.ts';
import { writeInitialStack } from './initial-stack.ts';
import { loadSegments, type ProgramFile, readProgram } from './load-program.ts';

/** FP, ASIMD, AES, PMULL, SHA1, SHA2, CRC32, atomics: what the instructions are decoded of. */
const capabilities = 0b1_1111_1011;
/** What Linux looks at of a script's first line. */
const longestFirstLine = 256;
const mostScripts = 5;
/** mov x8, #139; svc #0: what a signal handler returns to (rt_sigreturn). */
const returnCode = Uint8Array.of(0x68, 0x11, 0x80, 0xd2, 0x01, 0x00, 0x00, 0xd4);

export interface ExecuteRequest {
  readonly inode: Inode;
  /** Byte strings. */
  readonly path: string;
  /** The absolute path without links. */
  readonly canonical: string;
  readonly argv: readonly string[];
  readonly env: readonly string[];
}

/** execve: the process goes on in another program. Until that is sure, nothing of it changes. */
export function execute(task: Task, request: ExecuteRequest): void {
  const { process } = task;
  const { kernel } = process;
  const chosen = followScripts(task, request);
  const { program, argv } = chosen;
  const elf = readProgram(program);
  const space = new AddressSpace(kernel.machines, kernel.memory);
  const registers = new Uint8Array(cpuLayout.size);
  try {
    const loaded = loadSegments(space, program, { elf, as: 'program' });
    space.startHeap(loaded.end);
    let { entry } = loaded;
    let interpreterBase = 0;
    if (loaded.interpreter !== undefined) {
      const interpreter = openProgram(task, loaded.interpreter);
      const parts = readProgram(interpreter);
      const linker = loadSegments(space, interpreter, { elf: parts, as: 'interpreter' });
      entry = linker.entry;
      interpreterBase = linker.base;
    }
    mapReturnCode(space);
    const random = Uint8Array.from({ length: 16 }, () => Math.floor(kernel.rng() * 256));
    const { credentials } = process;
    const sp = writeInitialStack(space, {
      argv,
      env: request.env,
      program: loaded,
      interpreterBase,
      path: chosen.path,
      random,
      capabilities,
      credentials,
    });
    const view = viewOf(registers);
    view.setBigUint64(cpuLayout.general + 31 * 8, BigInt(sp), true);
    view.setBigUint64(cpuLayout.pc, BigInt(entry), true);
  } catch (error) {
    space.release();
    throw error;
  }
  replaceProgram(task, space, registers);
  process.image = { path: program.path, file: program.file, argv, env: request.env };
  task.name = request.path.slice(request.path.lastIndexOf('/') + 1).slice(0, 15);
}

function replaceProgram(task: Task, space: AddressSpace, registers: Uint8Array): void {
  const { process } = task;
  const { kernel } = process;
  for (const other of process.tasks) if (other !== task) kernel.endTask(other);
  process.space.saveRegisters();
  process.space.release();
  process.space = space;
  task.savedRegisters.set(registers);
  const ignored = [...process.actions].filter(([, { handler }]) => handler === ignoreHandler);
  process.actions = new Map(ignored);
  kernel.dropTimers(process);
  task.resetSignalStack();
  task.clearChildTid = 0n;
  task.robustList = 0n;
  for (const file of process.descriptors.closeAll('on-exec')) kernel.closedBy(process, file);
  process.released.wake();
  process.borrowsSpace = false;
}

function mapReturnCode(space: AddressSpace): void {
  const at = space.stackTop;
  const source = { name: '[vdso]', offset: 0, shared: false };
  space.mapAt(at, { length: guestPageSize, permissions: 5, source });
  space.write(at, returnCode);
}

interface Chosen {
  readonly program: ProgramFile;
  readonly argv: readonly string[];
  readonly path: string;
}

/** A script is run by what its first line names, with the script as an argument. */
function followScripts(task: Task, request: ExecuteRequest): Chosen {
  let { argv, path } = request;
  let program = asProgram(task.process, request.inode, request.canonical);
  for (let depth = 0; ; depth++) {
    const { content } = program.file;
    const first = byteStringOf(content.read(0, longestFirstLine));
    if (!first.startsWith('#!')) return { program, argv, path };
    if (depth >= mostScripts) throw new LinuxError(errno.tooManyLinks);
    const newline = first.indexOf('\n');
    const line = (newline < 0 ? first : first.slice(0, newline))
      .slice(2)
      .replace(/^[ \t]+|[ \t]+$/g, '');
    const space = line.search(/[ \t]/);
    const interpreter = space < 0 ? line : line.slice(0, space);
    if (interpreter === '') throw new LinuxError(errno.noExec);
    const argument = space < 0 ? [] : [line.slice(space).replace(/^[ \t]+/, '')];
    argv = [interpreter, ...argument, path, ...argv.slice(1)];
    path = interpreter;
    program = openProgram(task, interpreter);
  }
}

function openProgram(task: Task, path: string): ProgramFile {
  const inode = resolvePath(pathContext(task), path, { followLast: true });
  return asProgram(task.process, inode, canonicalPath(task, path));
}

function asProgram(process: GuestProcess, inode: Inode, path: string): ProgramFile {
  if (inode.kind !== 'file') throw new LinuxError(errno.access);
  requireAccess(inode, process.credentials, 1);
  return { file: inode, path };
}

/** The path without links, as /proc/self/exe says it. */
export function canonicalPath(task: Task, path: string): string {
  const { parent, name } = findPlace(pathContext(task), path, { followLast: true });
  return pathInside(parent, name, task.process.root);
}
