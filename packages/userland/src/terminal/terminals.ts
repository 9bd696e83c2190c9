import { errno, LinuxError } from '../errno.ts';
import { createDirectory, createSpecial } from '../files/create-inode.ts';
import { deviceNumber } from '../files/device-number.ts';
import type { DirectoryInode, FileSystem, SpecialInode } from '../files/inode.ts';
import { type OpenFile, openFlags, pollEvents } from '../files/open-file.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Task } from '../kernel/task.ts';
import { Wait } from '../kernel/wait-queue.ts';
import { controlTerminal, takeTerminal } from './terminal-control.ts';
import { Terminal } from './terminal.ts';

/** TIOCGPTPEER: the other end, without its name. */
const openPeer = 0x5441;
const mostTerminals = 256;

/** The console, and terminals that programs make for others (/dev/ptmx, /dev/pts). */
export class Terminals {
  readonly console: Terminal;
  readonly #system: FileSystem;
  readonly #made: Map<number, { readonly terminal: Terminal; readonly inode: SpecialInode }> =
    new Map();
  readonly #kernel: () => Kernel;
  #consoleInode: SpecialInode | undefined;

  constructor(system: FileSystem, kernel: () => Kernel) {
    this.#system = system;
    this.#kernel = kernel;
    this.console = new Terminal(-1, kernel);
  }

  /** Their devices. */
  addTo(folder: DirectoryInode, system: FileSystem): void {
    const owner = { uid: 0, gid: 5, mode: 0o620 };
    const console: SpecialInode = createSpecial(system, owner, {
      kind: 'character',
      special: deviceNumber(5, 1),
      open: ({ task, flags }) =>
        this.#open(task, this.console, { inode: console, flags, path: '/dev/console' }),
    });
    this.#consoleInode = console;
    const tty: SpecialInode = createSpecial(
      system,
      { ...owner, mode: 0o666 },
      {
        kind: 'character',
        special: deviceNumber(5, 0),
        open: ({ task, flags }) => {
          const { terminal } = task.process.session;
          if (terminal === undefined) throw new LinuxError(errno.noDevice);
          return this.#open(task, terminal, { inode: tty, flags, path: '/dev/tty' });
        },
      },
    );
    const names = this.#made;
    const slaves = createDirectory(
      this.#system,
      { uid: 0, gid: 0, mode: 0o755 },
      {
        name: 'pts',
        parent: folder,
        entries: {
          get: (name) => (/^\d+$/.test(name) ? names.get(Number(name))?.inode : undefined),
          list: () => [...names].map(([number, { inode }]) => [`${number}`, inode] as const),
        },
      },
    );
    folder.entries.set?.('console', console);
    folder.entries.set?.('tty', tty);
    folder.entries.set?.('pts', slaves);
    folder.entries.set?.('ptmx', this.#multiplexer(system));
    folder.links++;
  }

  /** The programs' end of the console, for standard input and output. */
  openConsole(task: Task): OpenFile {
    const inode = this.#consoleInode;
    if (inode === undefined) throw new LinuxError(errno.noDevice);
    const flags = openFlags.readWrite;
    return this.#open(task, this.console, { inode, flags, path: '/dev/console' });
  }

  #multiplexer(system: FileSystem): SpecialInode {
    const inode: SpecialInode = createSpecial(
      system,
      { uid: 0, gid: 5, mode: 0o666 },
      {
        kind: 'character',
        special: deviceNumber(5, 2),
        open: ({ task, flags }) => this.#openMaster(task, { inode, flags }),
      },
    );
    return inode;
  }

  #openMaster(task: Task, how: { readonly inode: SpecialInode; readonly flags: number }): OpenFile {
    let number = 0;
    while (this.#made.has(number)) number++;
    if (number >= mostTerminals) throw new LinuxError(errno.noSpace);
    const terminal = new Terminal(number, this.#kernel);
    const { uid, gid } = task.process.credentials;
    const slave: SpecialInode = createSpecial(
      this.#system,
      { uid, gid, mode: 0o620 },
      {
        kind: 'character',
        special: deviceNumber(136, number),
        open: (opener) => {
          if (terminal.locked) throw new LinuxError(errno.inputOutput);
          const { flags } = opener;
          const path = `/dev/pts/${number}`;
          return this.#open(opener.task, terminal, { inode: slave, flags, path });
        },
      },
    );
    this.#made.set(number, { terminal, inode: slave });
    return {
      kind: 'terminal',
      inode: how.inode,
      flags: how.flags,
      path: '/dev/ptmx',
      changed: terminal.screenChanged,
      references: 0,
      read: (_, most) => {
        if (terminal.screen.size > 0) return terminal.takeScreen(most);
        if (terminal.everUsed && terminal.users === 0) throw new LinuxError(errno.inputOutput);
        return new Wait([terminal.screenChanged]);
      },
      write: (_, bytes) => {
        terminal.type(bytes);
        return bytes.length;
      },
      poll: () => {
        const gone = terminal.everUsed && terminal.users === 0 ? pollEvents.hangUp : 0;
        return pollEvents.out | gone | (terminal.screen.size > 0 ? pollEvents.in : 0);
      },
      control: (asking, request, argument) => {
        if (request !== openPeer) return controlTerminal(terminal, asking, { request, argument });
        const path = `/dev/pts/${number}`;
        const peer = this.#open(asking, terminal, {
          inode: slave,
          flags: Number(argument) | openFlags.noTerminal,
          path,
        });
        const closeOnExec = (Number(argument) & openFlags.closeOnExec) !== 0;
        return asking.process.descriptors.add(peer, { closeOnExec });
      },
      close: () => {
        terminal.hangUp();
        this.#made.delete(number);
      },
    };
  }

  #open(
    task: Task,
    terminal: Terminal,
    how: { readonly inode: SpecialInode; readonly flags: number; readonly path: string },
  ): OpenFile {
    const { session } = task.process;
    const leads = session.id === task.pid && session.terminal === undefined;
    if (leads && terminal.session === undefined && (how.flags & openFlags.noTerminal) === 0) {
      takeTerminal(terminal, task);
    }
    terminal.users++;
    terminal.everUsed = true;
    return {
      kind: 'terminal',
      inode: how.inode,
      flags: how.flags & ~(openFlags.noTerminal | openFlags.closeOnExec | openFlags.create),
      path: how.path,
      changed: terminal.changed,
      references: 0,
      read: (reader, most) => terminal.read(reader, most),
      write: (writer, bytes) => terminal.write(writer, bytes),
      poll: () => {
        const readable = terminal.line.ready || terminal.hungUp ? pollEvents.in : 0;
        return readable | pollEvents.out | (terminal.hungUp ? pollEvents.hangUp : 0);
      },
      control: (asking, request, argument) =>
        controlTerminal(terminal, asking, { request, argument }),
      close: () => {
        terminal.users--;
        terminal.screenChanged.wake();
      },
    };
  }
}
