import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, openSync, closeSync } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type Clock, errorMessage, type Log, type Rng, TaplineError } from '@tapline/base';
import { createRestartBackoff } from '../restart-backoff.ts';
import { askEdge, type EdgeFigures } from './ask-edge.ts';
import { type EdgeRecord, edgeRecordFile, endEdge, readEdgeRecord } from './edge-record.ts';
import { processAt } from './process-at.ts';

/** How a node serves channels; given by its operator, as it opens a port for players. */
export interface EdgeSettings {
  readonly listen: { readonly host: string; readonly port: number };
  /** Where players reach it, where that is not the address at which it listens. */
  readonly url?: string;
  /** Where it serves by TLS as well; the files are the operator's, and may be replaced at any time. */
  readonly tls?: {
    readonly listen: { readonly host: string; readonly port: number };
    readonly certificateFile: string;
    readonly keyFile: string;
  };
  readonly memory: string;
  readonly diskSize: string;
  /** The command that is followed by `edge-cache serve`. */
  readonly program: readonly string[];
  /** Whom it runs as where the agent is root. */
  readonly user: { readonly uid: number; readonly gid: number } | undefined;
}

/** The edge cache of a node: a process of its own, with nothing of the agent's in it. */
export interface EdgeProgram extends AsyncDisposable {
  /** Has it serve what the file says: starts it, or has it read the file anew. */
  serve(file: string): Promise<void>;
  figures(): Promise<EdgeFigures>;
  purge(
    channel: string,
    what: { readonly path?: string | undefined; readonly soft: boolean },
  ): Promise<void>;
  /** Of the process that runs now. */
  readonly url: string | undefined;
  readonly restarts: number;
}

const startMs = 20_000;
const certificateMs = 10_000;
const announced = /ready at (http:\S+)/;

/**
 * Runs the edge cache beside the agent. It outlives the agent, whose next life takes it up again by
 * its socket, so that players notice nothing of an agent's restart. One that ends by itself is started
 * again, with a growing pause.
 */
export function createEdgeProgram(init: {
  /** Of its own; below it nothing of the agent's is. */
  readonly directory: string;
  readonly name: string;
  readonly settings: EdgeSettings;
  readonly onRestart: () => void;
  /** How often it is looked whether the certificate was replaced; ten seconds unless given. */
  readonly certificateMs?: number;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
}): EdgeProgram {
  const { clock, directory, log, settings } = init;
  const paths = {
    file: join(directory, 'edge.json'),
    socket: join(directory, 'edge.sock'),
    output: join(directory, 'edge.log'),
    disk: join(directory, 'cache'),
    certificate: join(directory, 'tls.crt'),
    key: join(directory, 'tls.key'),
  };
  const backoff = createRestartBackoff({ clock, rng: init.rng });
  const stopping = new AbortController();
  let running: EdgeRecord | undefined;
  let served: string | undefined;
  let certified: string | undefined;
  let restarts = 0;

  function prepare(): void {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    if (settings.user !== undefined) {
      chownSync(directory, settings.user.uid, settings.user.gid);
      chmodSync(directory, 0o700);
    }
  }

  async function write(path: string, text: string): Promise<void> {
    const next = `${path}.next`;
    await writeFile(next, text, { mode: 0o600 });
    if (settings.user !== undefined) chownSync(next, settings.user.uid, settings.user.gid);
    await rename(next, path);
  }

  /**
   * Gives the edge its own copies: the operator's key is for root to read, and the edge is not root.
   * Answers whether they are others than before.
   */
  async function takeCertificate(): Promise<boolean> {
    if (settings.tls === undefined) return false;
    const [certificate, key] = await Promise.all(
      [settings.tls.certificateFile, settings.tls.keyFile].map((file) => readFile(file, 'utf8')),
    );
    const both = `${certificate}\n${key}`;
    if (both === certified) return false;
    await write(paths.certificate, certificate ?? '');
    await write(paths.key, key ?? '');
    certified = both;
    return true;
  }

  /** A certificate that is renewed is taken up without a restart; one that is broken leaves the old. */
  async function watchCertificate(): Promise<void> {
    const { signal } = stopping;
    while (!signal.aborted) {
      // Ends by the abort, which is no failure.
      await clock.sleep(init.certificateMs ?? certificateMs, { signal }).catch(() => undefined);
      if (signal.aborted || running === undefined) continue;
      try {
        if (!(await takeCertificate())) continue;
        await askEdge(paths.socket, { method: 'POST', path: '/v1/reload' });
        log.info('the edge cache took up another certificate');
      } catch (error) {
        certified = undefined;
        log.warn('the certificate of the edge cache is not taken up', {
          error: errorMessage(error),
        });
      }
    }
  }

  /** The one that an agent before this one has started. */
  async function adopt(): Promise<void> {
    if (running !== undefined) return;
    const record = await readEdgeRecord(directory);
    if (record === undefined) return;
    if (!isDeepStrictEqual(record.command, command())) {
      log.info('the edge cache was started otherwise, and is started anew');
      await endEdge(directory, { clock });
      return;
    }
    try {
      await askEdge(paths.socket, { method: 'GET', path: '/v1/stats' });
    } catch (error) {
      log.warn('an edge cache does not answer and is ended', { error: errorMessage(error) });
      await endEdge(directory, { clock });
      return;
    }
    running = record;
    void watch(record);
  }

  function command(): readonly string[] {
    const { listen, tls } = settings;
    return [
      ...settings.program,
      'edge-cache',
      'serve',
      paths.file,
      `--listen=${addressOf(listen)}`,
      ...(tls === undefined
        ? []
        : [
            `--tls-listen=${addressOf(tls.listen)}`,
            `--tls-certificate=${paths.certificate}`,
            `--tls-key=${paths.key}`,
          ]),
      `--name=${init.name}`,
      `--admin=${paths.socket}`,
      `--memory=${settings.memory}`,
      `--disk=${paths.disk}`,
      `--disk-size=${settings.diskSize}`,
    ];
  }

  async function start(): Promise<void> {
    const output = openSync(paths.output, 'w', 0o600);
    const [program = '', ...words] = command();
    let child: ChildProcess;
    try {
      child = spawn(program, words, {
        cwd: '/',
        detached: true,
        stdio: ['ignore', output, output],
        // Nothing of the agent's: tokens and folders are in its environment.
        env: { PATH: process.env['PATH'], NODE_ENV: 'production', HOME: directory },
        ...settings.user,
      });
    } finally {
      closeSync(output);
    }
    const ended = new AbortController();
    child.once('error', (error) => ended.abort(error));
    child.once('exit', (code, signal) => ended.abort(new Error(`it ended with ${code ?? signal}`)));
    child.unref();
    const url = await announcement(ended.signal);
    const pid = child.pid ?? 0;
    const record = { pid, start: processAt(pid) ?? 0, url, command: command() };
    await write(edgeRecordFile(directory), JSON.stringify(record));
    running = record;
    backoff.started();
    void watch(record, ended.signal);
  }

  async function announcement(ended: AbortSignal): Promise<string> {
    const until = clock.monotonic() + startMs;
    for (;;) {
      const output = await readFile(paths.output, 'utf8');
      const match = announced.exec(output);
      if (match?.[1] !== undefined) return match[1];
      if (ended.aborted || clock.monotonic() > until) {
        throw new TaplineError(
          'edge_not_started',
          `the edge cache did not start: ${output.trim().split('\n').slice(-3).join(' ') || String(ended.reason)}`,
          { hint: `look whether something else listens at port ${settings.listen.port}` },
        );
      }
      await clock.sleep(20);
    }
  }

  /** Has it started again when it ends without having been told to. */
  async function watch(record: EdgeRecord, ended?: AbortSignal): Promise<void> {
    const isOver = (): boolean => ended?.aborted === true || processAt(record.pid) !== record.start;
    while (!isOver()) {
      try {
        // A child's end is known at once; that of an adopted one is looked for.
        const signal =
          ended === undefined ? stopping.signal : AbortSignal.any([stopping.signal, ended]);
        await clock.sleep(200, { signal });
      } catch {
        if (stopping.signal.aborted) return;
      }
    }
    if (running !== record) return;
    running = undefined;
    served = undefined;
    if (stopping.signal.aborted) return;
    restarts += 1;
    backoff.ended();
    log.warn('the edge cache ended and is started again', { restarts });
    init.onRestart();
  }

  if (settings.tls !== undefined) void watchCertificate();
  return {
    get url() {
      return running?.url;
    },
    get restarts() {
      return restarts;
    },
    async serve(file) {
      prepare();
      // After a restart of the agent the edge may have an older one.
      const renewed = await takeCertificate();
      await adopt();
      if (running !== undefined && served === file && !renewed) return;
      await write(paths.file, file);
      if (running === undefined) {
        const waitMs = backoff.waitMs();
        if (waitMs > 0) await clock.sleep(waitMs, { signal: stopping.signal });
        try {
          await start();
        } catch (error) {
          backoff.failed();
          throw error;
        }
      } else await askEdge(paths.socket, { method: 'POST', path: '/v1/reload' });
      served = file;
    },
    figures: async () =>
      (await askEdge(paths.socket, { method: 'GET', path: '/v1/stats' })) as EdgeFigures,
    async purge(channel, { path, soft }) {
      const of =
        path === undefined ? { kind: 'channel' } : { kind: 'url', target: `/${channel}/${path}` };
      const body = { ...of, channel, mode: soft ? 'soft' : 'hard' };
      await askEdge(paths.socket, { method: 'POST', path: '/v1/purge', body });
    },
    async [Symbol.asyncDispose]() {
      stopping.abort(new Error('the agent is stopping'));
      await Promise.resolve();
    },
  };
}

function addressOf({ host, port }: { readonly host: string; readonly port: number }): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
