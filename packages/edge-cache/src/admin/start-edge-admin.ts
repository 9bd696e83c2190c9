import { chmod, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { isRecord, isTaplineError, TaplineError } from '@tapline/base';
import type { CacheEngine, CacheStats } from '../engine/cache-engine.ts';
import type { PurgeMode, PurgeTarget } from '../store/purge-table.ts';

export interface EdgeAdminInit {
  readonly engine: CacheEngine;
  /** A socket of the file system; who may open it may purge. Mode 0600. */
  readonly socketPath: string;
  /** Reads configuration and certificates anew. */
  readonly reload: () => Promise<void>;
}

const maxBodyBytes = 64 * 1024;

/**
 * Answers purges, figures and reloads beside the traffic, on a socket that only its owner may open:
 * `POST /v1/purge`, `POST /v1/pin`, `POST /v1/reload`, `GET /v1/stats`, `GET /metrics`.
 */
export async function startEdgeAdmin(init: EdgeAdminInit): Promise<AsyncDisposable> {
  await rm(init.socketPath, { force: true });
  const server = createServer((request, response) => {
    void answer(init, request, response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(init.socketPath, resolve);
  });
  await chmod(init.socketPath, 0o600);
  return {
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => void server.close(() => resolve()));
    },
  };
}

async function answer(
  { engine, reload }: EdgeAdminInit,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    switch (`${request.method} ${request.url}`) {
      case 'POST /v1/purge': {
        const { target, mode } = parsePurge(await readJson(request));
        await engine.purge(target, mode);
        sendJson(response, { purged: true });
        return;
      }
      case 'POST /v1/pin': {
        const { place, pinned } = parsePin(await readJson(request));
        await engine.pin(place, pinned);
        sendJson(response, { pinned });
        return;
      }
      case 'POST /v1/reload':
        await reload();
        sendJson(response, { reloaded: true });
        return;
      case 'GET /v1/stats':
        sendJson(response, await engine.stats());
        return;
      case 'GET /metrics':
        response.setHeader('content-type', 'text/plain; version=0.0.4');
        response.end(formatEdgeMetrics(await engine.stats()));
        return;
      default:
        throw new TaplineError('not_found', `${request.method} ${request.url} is nothing here`);
    }
  } catch (error) {
    const known = isTaplineError(error) ? error : undefined;
    response.statusCode = known?.code === 'not_found' ? 404 : known === undefined ? 500 : 400;
    sendJson(response, {
      code: known?.code ?? 'internal',
      message: error instanceof Error ? error.message : String(error),
    });
  }
}

/** Figures as Prometheus reads them. */
export function formatEdgeMetrics(stats: CacheStats): string {
  const counters = ['requests', 'hits', 'misses', 'passes', 'fetches'] as const;
  const lines = counters.flatMap((name) => [
    `# TYPE tapline_edge_${name}_total counter`,
    `tapline_edge_${name}_total ${stats[name]}`,
  ]);
  return [
    ...lines,
    '# TYPE tapline_edge_origin_failures_total counter',
    `tapline_edge_origin_failures_total ${stats.originFailures}`,
    '# TYPE tapline_edge_objects gauge',
    `tapline_edge_objects ${stats.objects}`,
    '# TYPE tapline_edge_bytes gauge',
    `tapline_edge_bytes ${stats.bytes}`,
    ...channelLines(stats.channels ?? {}),
    '',
  ].join('\n');
}

/** Names of channels are letters, digits, dots and dashes: nothing of them has to be escaped. */
function channelLines(channels: NonNullable<CacheStats['channels']>): readonly string[] {
  return (['memoryBytes', 'diskBytes'] as const).flatMap((field) => {
    const name = field === 'memoryBytes' ? 'memory' : 'disk';
    return [
      `# TYPE tapline_edge_channel_${name}_bytes gauge`,
      ...Object.entries(channels).map(
        ([channel, of]) => `tapline_edge_channel_${name}_bytes{channel="${channel}"} ${of[field]}`,
      ),
    ];
  });
}

/** Throws `bad_request` for what is no purge. */
export function parsePurge(value: unknown): {
  readonly target: PurgeTarget;
  readonly mode: PurgeMode;
} {
  if (!isRecord(value)) throw badPurge();
  const { kind, mode = 'hard' } = value;
  if (mode !== 'hard' && mode !== 'soft') throw badPurge();
  const text = (name: string, form: RegExp): string => {
    const given = value[name];
    if (typeof given !== 'string' || !form.test(given)) throw badPurge();
    return given;
  };
  const channel = (): string => text('channel', /^[A-Za-z0-9.-]{1,63}$/);
  switch (kind) {
    case 'all':
      return { target: { kind }, mode };
    case 'channel':
      return { target: { kind, channel: channel() }, mode };
    case 'tag':
      return { target: { kind, channel: channel(), tag: text('tag', /^[^\s,]{1,256}$/) }, mode };
    case 'url':
      return {
        target: { kind, channel: channel(), target: text('target', /^\/[^\s#]{0,8191}$/) },
        mode,
      };
    default:
      throw badPurge();
  }
}

function parsePin(value: unknown): {
  readonly place: { readonly channel: string; readonly target: string };
  readonly pinned: boolean;
} {
  const { channel, target, pinned = true } = isRecord(value) ? value : {};
  if (typeof channel === 'string' && typeof target === 'string' && typeof pinned === 'boolean') {
    return { place: { channel, target }, pinned };
  }
  throw new TaplineError('bad_request', 'a pin is { channel, target, pinned: true | false }');
}

function badPurge(): TaplineError {
  return new TaplineError(
    'bad_request',
    'a purge is { kind: "all" | "channel" | "tag" | "url", channel, tag, target, mode: "hard" | "soft" }',
  );
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBodyBytes)
      throw new TaplineError('bad_request', `a body of over ${maxBodyBytes} bytes`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown;
  } catch (cause) {
    throw new TaplineError('bad_request', 'the body is no JSON', { cause });
  }
}

function sendJson(response: ServerResponse, value: unknown): void {
  response.setHeader('content-type', 'application/json');
  response.end(`${JSON.stringify(value)}\n`);
}
