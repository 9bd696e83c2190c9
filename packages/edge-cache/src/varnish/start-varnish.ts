import { once } from 'node:events';
import { chmod, mkdir } from 'node:fs/promises';
import { request as requestHttp } from 'node:http';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type Clock, isRecord, systemClock, TaplineError } from '@tapline/base';
import type { ChannelSettings } from '../channel/channel-settings.ts';
import type { CacheEngine, CacheStats } from '../engine/cache-engine.ts';
import type { ListenAddress } from '../engine/edge-server.ts';
import type { PurgeMode, PurgeTarget } from '../store/purge-table.ts';
import { generateVcl } from './generate-vcl.ts';
import {
  runProgram,
  startProgram,
  type VarnishPrograms,
  varnishPrograms,
} from './varnish-program.ts';

export interface VarnishInit {
  readonly channels: readonly ChannelSettings[];
  /** Where the instance keeps its configuration and its shared memory; its own. */
  readonly directory: string;
  readonly listen?: ListenAddress;
  readonly name?: string;
  readonly memoryBytes?: number;
  readonly programs?: VarnishPrograms;
  /** Whether the module `xkey` (Debian's varnish-modules) is installed. */
  readonly xkey?: boolean;
  /** Further parameters of the daemon, such as `thread_pools=1`. */
  readonly parameters?: readonly string[];
  readonly clock?: Clock;
}

const mebibyte = 1024 * 1024;
const startMs = 20_000;
const stopMs = 10_000;
const pollMs = 50;

/** Runs Varnish for channels: generated VCL, told and asked through its own programs. */
export async function startVarnish(init: VarnishInit): Promise<CacheEngine> {
  const { directory, clock = systemClock, programs = varnishPrograms, xkey = true } = init;
  const { host, port } = init.listen ?? { host: '127.0.0.1', port: 0 };
  const secret = randomBytes(24).toString('hex');
  const instance = join(directory, 'instance');
  await mkdir(instance, { recursive: true, mode: 0o755 });
  // Started by root, Varnish works as a user of its own that has to get there.
  await chmod(directory, 0o711);
  let configurations = 0;

  const admin = (...words: readonly string[]): Promise<string> =>
    runProgram(programs.admin, ['-n', instance, ...words]);
  /** Takes a configuration up, which is told rather than written: it holds the secret of purges. */
  async function load(channels: readonly ChannelSettings[]): Promise<void> {
    const text = generateVcl({ channels, name: init.name ?? 'tapline', secret, xkey });
    configurations += 1;
    const name = `edge${configurations}`;
    await admin('vcl.inline', name, quoted(text));
    await admin('vcl.use', name);
  }

  const child = startProgram(programs.daemon, [
    '-F',
    '-n',
    instance,
    '-a',
    `${host}:${port}`,
    // Without a configuration at first: `load` gives it one.
    '-f',
    '',
    '-s',
    `edge=malloc,${init.memoryBytes ?? 256 * mebibyte}`,
    // What is kept longer than it is fresh is for the generated VCL to say.
    '-p',
    'default_ttl=0',
    '-p',
    'default_grace=0',
    '-p',
    'default_keep=0',
    ...(init.parameters ?? []).flatMap((parameter) => ['-p', parameter]),
  ]);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-4000)));
  }
  const ended = Promise.race([once(child, 'exit'), once(child, 'error')]).then(
    () => true,
    () => true,
  );
  let isEnded = false;
  void ended.then(() => (isEnded = true));

  async function stop(): Promise<void> {
    if (isEnded) return;
    child.kill('SIGTERM');
    const late = new AbortController();
    const killed = clock.sleep(stopMs, { signal: late.signal }).then(
      () => child.kill('SIGKILL'),
      // It ended in time.
      () => false,
    );
    await ended;
    late.abort();
    await killed;
  }

  /** Waits until it can be told something. */
  async function reachable(): Promise<void> {
    const until = clock.monotonic() + startMs;
    for (;;) {
      if (isEnded) {
        throw new TaplineError(
          'varnish_failed',
          `${programs.daemon} did not start: ${said.trim()}`,
        );
      }
      try {
        await admin('ping');
        return;
      } catch (error) {
        // It answers only once its shared memory is there.
        if (clock.monotonic() > until) throw error;
      }
      await clock.sleep(pollMs);
    }
  }

  let actual: string | undefined;
  try {
    await reachable();
    await load(init.channels);
    await admin('start');
    actual = /^\S+ \S+ (\d+)$/m.exec(await admin('debug.listen_address'))?.[1];
  } catch (error) {
    await stop();
    throw error;
  }

  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${actual}`,
    configure: load,
    async purge(target, mode) {
      if (!xkey && target.kind !== 'url') {
        if (mode === 'soft') {
          throw new TaplineError(
            'unsupported',
            'tags are purged softly only with the module xkey',
            {
              hint: 'install varnish-modules',
            },
          );
        }
        await admin('ban', `obj.http.x-tapline-tags ~ "${banPattern(tagOf(target))}"`);
        return;
      }
      await purgeOverHttp({ host, port: Number(actual), secret, target, mode });
    },
    pin: () =>
      Promise.reject(
        new TaplineError(
          'pins_unsupported',
          'Varnish keeps what it was last asked for, and no pins',
          {
            hint: "use Tapline's own engine where something has to stay",
          },
        ),
      ),
    async stats() {
      return readStats(await runProgram(programs.stat, ['-n', instance, '-j']));
    },
    [Symbol.asyncDispose]: stop,
  };
}

/** A word of the command line as Varnish reads it. */
function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
}

/** The tag under which VCL has put everything that a target names. */
function tagOf(target: Exclude<PurgeTarget, { readonly kind: 'url' }>): string {
  switch (target.kind) {
    case 'tag':
      return `${target.channel}/${target.tag}`;
    case 'channel':
      return target.channel;
    case 'all':
      return 'tapline-all';
  }
}

function banPattern(tag: string): string {
  return ` ${tag.replaceAll(/[^A-Za-z0-9/_-]/g, (character) => `[${character}]`)} `;
}

/** A purge that only who knows the secret can ask for. */
function purgeOverHttp(asked: {
  readonly host: string;
  readonly port: number;
  readonly secret: string;
  readonly target: PurgeTarget;
  readonly mode: PurgeMode;
}): Promise<void> {
  const { target, mode } = asked;
  return new Promise((resolve, reject) => {
    const request = requestHttp({
      host: asked.host === '0.0.0.0' ? '127.0.0.1' : asked.host,
      port: asked.port,
      method: 'PURGE',
      path: target.kind === 'url' ? target.target : '/',
      headers: {
        'x-tapline-secret': asked.secret,
        'x-tapline-mode': mode,
        ...('channel' in target && { 'x-tapline-purge-channel': target.channel }),
        ...(target.kind !== 'url' && { 'x-tapline-tag': tagOf(target) }),
      },
    });
    request.once('error', (cause) =>
      reject(new TaplineError('varnish_failed', 'Varnish does not answer a purge', { cause })),
    );
    request.once('response', (response) => {
      response.resume();
      if (response.statusCode === 200) resolve();
      else {
        reject(
          new TaplineError(
            'varnish_failed',
            `Varnish answered a purge with ${response.statusCode}`,
          ),
        );
      }
    });
    request.end();
  });
}

function readStats(json: string): CacheStats {
  const parsed: unknown = JSON.parse(json);
  // Before 6.5 the counters stood at the top.
  const counters = isRecord(parsed)
    ? isRecord(parsed['counters'])
      ? parsed['counters']
      : parsed
    : {};
  const value = (name: string): number => {
    const counter = counters[name];
    return isRecord(counter) ? Number(counter['value']) : 0;
  };
  return {
    requests: value('MAIN.client_req'),
    hits: value('MAIN.cache_hit'),
    misses: value('MAIN.cache_miss'),
    passes: value('MAIN.s_pass'),
    fetches: value('MAIN.backend_req'),
    originFailures: value('MAIN.fetch_failed') + value('MAIN.backend_fail'),
    objects: value('MAIN.n_object'),
    bytes: value('SMA.edge.g_bytes'),
  };
}
