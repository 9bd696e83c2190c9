import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Clock, isTaplineError, type Log, TaplineError } from '@tapline/base';
import type { ServedPort } from '@tapline/resources';
import { processAt } from '../channels/process-at.ts';
import { askSocket } from '../ask-socket.ts';
import type { HeldPort, HolderState } from './held-port.ts';
import type { Probed } from './probe-port.ts';

/** The program of one Install that has ports, as far as they are concerned. */
export interface PortsOwner {
  readonly uid: string;
  readonly revision: number;
  readonly ports: readonly ServedPort[];
  /** Path of the network namespace that the ports are in; the device's own unless given. */
  readonly namespace?: string | undefined;
}

/**
 * The ports of Installs: each Install's are held by a process that goes on when its programs, or the
 * agent, do not. Errors: `port_in_use`, `port_network_unreachable`, `port_holder_gone`.
 */
export interface InstallPorts extends AsyncDisposable {
  /** Whether the Install has ports, or had and they are not given up yet. */
  has(uid: string): boolean;
  /** What a revision's program is told of where to listen: the same however often it is asked. */
  environment(owner: PortsOwner): Promise<Readonly<Record<string, string>>>;
  /** Gives new connections to the revision, whose first process is `pid`. */
  move(owner: PortsOwner, pid: number): Promise<void>;
  /** Whether the revision's program answers at all of its ports. */
  probe(owner: PortsOwner, pid: number, path: string | undefined): Promise<Probed>;
  /** Undefined where nobody holds any. */
  state(uid: string): Promise<HolderState | undefined>;
  /** No more new connections; those that are open go on. */
  close(uid: string): Promise<void>;
  /** Ends what is left of it. */
  end(uid: string): Promise<void>;
}

interface HolderRecord {
  readonly pid: number;
  readonly start: number;
  /** What each revision was told, by the variable's name. */
  readonly told: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

const holder = { who: 'what holds ports open', code: 'port_holder_gone' };
const startMs = 20_000;
const lookMs = 1000;

/** The holder's program: in a bundle a file beside this one. */
const holderProgram = fileURLToPath(
  new URL(
    import.meta.url.endsWith('.ts') ? 'port-holder-main.ts' : 'port-holder.js',
    import.meta.url,
  ),
);

export function createInstallPorts(init: {
  readonly dataDirectory: string;
  /** The ports of an Install are held no more, though nobody gave them up. */
  readonly onLost: (uid: string) => void;
  readonly clock: Clock;
  readonly log: Log;
}): InstallPorts {
  const { clock, log } = init;
  const program = [process.execPath, '--disable-warning=ExperimentalWarning', holderProgram];
  const connector = [...program, '--connector'];
  const stopping = new AbortController();
  const watched = new Map<string, HolderRecord>();
  let watching: Promise<void> | undefined;

  function folderOf(uid: string): string {
    // Paths of sockets have 108 bytes at the most.
    const short = createHash('sha256').update(uid).digest('hex').slice(0, 12);
    return join(init.dataDirectory, 'ports', short);
  }
  const ask = (
    uid: string,
    asked: { readonly method: 'GET' | 'POST'; readonly path: string; readonly body?: unknown },
  ): Promise<unknown> => askSocket(socketOf(uid), { ...asked, owner: holder });
  const socketOf = (uid: string): string => join(folderOf(uid), 's');
  const recordFile = (uid: string): string => join(folderOf(uid), 'holder.json');

  async function read(uid: string): Promise<HolderRecord | undefined> {
    try {
      return JSON.parse(await readFile(recordFile(uid), 'utf8')) as HolderRecord;
    } catch {
      return undefined;
    }
  }

  async function write(uid: string, record: HolderRecord): Promise<void> {
    const next = `${recordFile(uid)}.next`;
    await writeFile(next, JSON.stringify(record), { mode: 0o600 });
    await rename(next, recordFile(uid));
  }

  const isAlive = (record: HolderRecord): boolean => processAt(record.pid) === record.start;

  async function holderOf({ uid, namespace }: PortsOwner): Promise<HolderRecord> {
    const record = await read(uid);
    if (record !== undefined && isAlive(record)) {
      watch(uid, record);
      return record;
    }
    const started = await start(uid, namespace);
    // What programs were told still holds: they listen there.
    const next = { ...started, told: record?.told ?? {} };
    await write(uid, next);
    watch(uid, next);
    return next;
  }

  async function start(
    uid: string,
    namespace: string | undefined,
  ): Promise<Pick<HolderRecord, 'pid' | 'start'>> {
    mkdirSync(folderOf(uid), { recursive: true, mode: 0o700 });
    await rm(socketOf(uid), { force: true });
    const enter = namespace === undefined ? [] : ['nsenter', `--net=${namespace}`, '--'];
    const [file, ...words] = [...enter, ...program, socketOf(uid)];
    const child: ChildProcess = spawn(file, words, {
      cwd: '/',
      detached: true,
      stdio: 'ignore',
      // Nothing of the agent's: tokens and folders are in its environment.
      env: { PATH: process.env['PATH'], NODE_ENV: 'production' },
    });
    let ended: unknown;
    child.once('error', (error) => (ended = error));
    child.once('exit', (code) => (ended = new Error(`it ended with ${code}`)));
    child.unref();
    const until = clock.monotonic() + startMs;
    while (!(await answers(uid))) {
      if (ended !== undefined || clock.monotonic() > until) {
        throw new TaplineError('port_holder_gone', 'what holds ports open did not start', {
          cause: ended,
          hint: 'ports in segments take nsenter of util-linux, and an agent that runs as root',
        });
      }
      await clock.sleep(20);
    }
    const pid = child.pid ?? 0;
    return { pid, start: processAt(pid) ?? 0 };
  }

  async function answers(uid: string): Promise<boolean> {
    if (!existsSync(socketOf(uid))) return false;
    try {
      await ask(uid, { method: 'GET', path: '/v1/state' });
      return true;
    } catch {
      return false;
    }
  }

  function watch(uid: string, record: HolderRecord): void {
    watched.set(uid, record);
    watching ??= look();
  }

  async function look(): Promise<void> {
    const { signal } = stopping;
    while (!signal.aborted) {
      await clock.sleep(lookMs, { signal }).catch(() => undefined);
      for (const [uid, record] of watched) {
        if (signal.aborted || isAlive(record)) continue;
        watched.delete(uid);
        log.warn('what held ports open is gone', { uid });
        init.onLost(uid);
      }
    }
  }

  function heldPorts(owner: PortsOwner, record: HolderRecord, pid: number): readonly HeldPort[] {
    const told = record.told[String(owner.revision)] ?? {};
    return owner.ports.map(({ port, env, target }) => ({
      port,
      backend:
        env === undefined
          ? { kind: 'network', pid, port: target ?? port }
          : { kind: 'port', port: Number(told[env]) },
    }));
  }

  return {
    has: (uid) => existsSync(recordFile(uid)),
    async environment(owner) {
      const record = await holderOf(owner);
      const { uid, revision } = owner;
      const known = record.told[String(revision)];
      if (known !== undefined) return known;
      const names = owner.ports.flatMap(({ env }) => (env === undefined ? [] : [env]));
      const answer = (await ask(uid, {
        method: 'POST',
        path: '/v1/free-ports',
        body: { count: names.length },
      })) as { readonly ports: readonly number[] };
      const told = Object.fromEntries(
        names.map((name, index) => [name, String(answer.ports[index])]),
      );
      // Of the two before it, programs may still run.
      const kept = Object.entries(record.told).slice(-2);
      await write(uid, {
        ...record,
        told: Object.fromEntries([...kept, [String(revision), told]]),
      });
      return told;
    },
    async move(owner, pid) {
      const { uid, revision } = owner;
      const ports = heldPorts(owner, await holderOf(owner), pid);
      const body = { revision, ports, connector };
      await ask(uid, { method: 'POST', path: '/v1/route', body });
    },
    async probe(owner, pid, path) {
      const ports = heldPorts(owner, await holderOf(owner), pid);
      for (const [index, { backend }] of ports.entries()) {
        const body = { backend, connector, ...(index === 0 && path !== undefined && { path }) };
        const asked = { method: 'POST', path: '/v1/probe', body } as const;
        const probed = (await ask(owner.uid, asked)) as Probed;
        if (!probed.healthy) return probed;
      }
      return { healthy: true, why: '' };
    },
    async state(uid) {
      const record = await read(uid);
      if (record === undefined || !isAlive(record)) return undefined;
      watch(uid, record);
      try {
        const asked = { method: 'GET', path: '/v1/state' } as const;
        return (await ask(uid, asked)) as HolderState;
      } catch (error) {
        if (isTaplineError(error, 'port_holder_gone')) return undefined;
        throw error;
      }
    },
    async close(uid) {
      const record = await read(uid);
      if (record === undefined || !isAlive(record)) return;
      await ask(uid, { method: 'POST', path: '/v1/close', body: {} });
    },
    async end(uid) {
      watched.delete(uid);
      const record = await read(uid);
      if (record !== undefined && isAlive(record)) process.kill(record.pid, 'SIGKILL');
      await rm(folderOf(uid), { recursive: true, force: true });
    },
    async [Symbol.asyncDispose]() {
      stopping.abort(new Error('the agent is stopping'));
      await watching;
    },
  };
}
