import { type Clock, type Log, silentLog, systemClock } from '@tapline/base';
import type { ChannelSettings } from '../channel/channel-settings.ts';
import { ChannelTable } from '../channel/channel-table.ts';
import { OriginChooser } from '../fill/origin-chooser.ts';
import { OriginClient } from '../fill/origin-client.ts';
import type { Http1Limits } from '../http1/http1-connection.ts';
import { MemoryTier } from '../store/memory-tier.ts';
import { PinTable } from '../store/pin-table.ts';
import { openPurgeLog } from '../store/purge-log.ts';
import { type PurgeMode, purgeName, PurgeTable, type PurgeTarget } from '../store/purge-table.ts';
import { Sieve } from '../store/sieve.ts';
import { DiskTier } from '../store/disk-tier.ts';
import type { CacheEngine, CacheStats } from './cache-engine.ts';
import { type EdgeCounters, edgeCounters } from './edge-counters.ts';
import { EdgeServer, type ListenAddress, type TlsFiles } from './edge-server.ts';
import type { EdgeState } from './edge-state.ts';
import { pinPlace } from './pin-place.ts';
import { createRequestHandler } from './request-handler.ts';

export interface EdgeCacheInit {
  readonly channels: readonly ChannelSettings[];
  /** Loopback and a free port unless given. */
  readonly listen?: ListenAddress;
  readonly tls?: ListenAddress & TlsFiles;
  /** Names this edge in `Cache-Status`, `Via` and `CDN-Loop`; it must differ from its parents'. */
  readonly name?: string;
  readonly memoryBytes?: number;
  /** Nothing is kept on disk, and no purge outlives a restart, unless given. */
  readonly disk?: { readonly directory: string; readonly capacityBytes: number };
  readonly maxConnections?: number;
  readonly limits?: Partial<Http1Limits>;
  /** PEM of an authority to trust for origins, instead of the system's. */
  readonly originCa?: string;
  readonly clock?: Clock;
  readonly log?: Log;
}

/** Tapline's own engine. */
export interface EdgeCache extends CacheEngine {
  /** `https://host:port`, where TLS is configured. */
  readonly tlsUrl: string | undefined;
  readonly counters: Readonly<EdgeCounters>;
  reloadCertificate(): Promise<void>;
}

const mebibyte = 1024 * 1024;
const second = 1000;
const defaultLimits: Http1Limits = {
  maxHeadBytes: 16 * 1024,
  headMs: 10 * second,
  idleMs: 75 * second,
  stalledMs: 30 * second,
  bodyMs: 30 * second,
};
const maxUnshared = 10_000;
const maxPurgeNames = 100_000;
const originSockets = 512;
/** Bodies under way may take as much as the tier in memory, and this at least. */
const minFillingBytes = 256 * mebibyte;

export async function startEdgeCache(init: EdgeCacheInit): Promise<EdgeCache> {
  const { clock = systemClock, log = silentLog, memoryBytes = 256 * mebibyte } = init;
  await using opened = new AsyncDisposableStack();
  const stopping = new AbortController();
  const counters = edgeCounters();
  const purges = new PurgeTable({ limit: maxPurgeNames });
  const purgeLog =
    init.disk === undefined
      ? undefined
      : opened.use(await openPurgeLog({ directory: init.disk.directory, purges }));
  let channels = new ChannelTable(init.channels, clock);
  // As they are configured at the time: a lower limit holds from the next that comes.
  const limitOf =
    (what: 'memoryBytes' | 'diskBytes') =>
    (channel: string): number =>
      channels.named(channel)?.settings.limits[what] ?? 0;
  const disk =
    init.disk === undefined
      ? undefined
      : opened.use(
          await DiskTier.open({
            ...init.disk,
            limitOf: limitOf('diskBytes'),
            clock,
            log,
            counters,
          }),
        );
  const pins = opened.use(await PinTable.open(init.disk?.directory));
  for (const key of pins.keys) disk?.pin(key, true);
  const origins = opened.use(
    new OriginClient({
      clock,
      maxSockets: originSockets,
      ...(init.originCa !== undefined && { ca: init.originCa }),
    }),
  );
  opened.defer(() => stopping.abort(new Error('the edge stops')));
  async function purge(name: string, mode: PurgeMode): Promise<void> {
    counters.purges += 1;
    const entry = purges.purge(name, mode);
    await purgeLog?.append(entry);
  }
  const state: EdgeState = {
    name: init.name ?? 'tapline',
    channels: () => channels,
    memory: new MemoryTier({ capacityBytes: memoryBytes, limitOf: limitOf('memoryBytes') }),
    disk,
    purges,
    pins,
    purge,
    origins,
    chooser: new OriginChooser(clock),
    filling: { maxBytes: Math.max(memoryBytes, minFillingBytes), bytes: 0 },
    flights: new Map(),
    unshared: new Sieve({ capacity: maxUnshared }),
    counters,
    stopping: stopping.signal,
    clock,
    log,
  };
  const listen = init.listen ?? { host: '127.0.0.1', port: 0 };
  const server = opened.use(
    await EdgeServer.start({
      handle: createRequestHandler(state),
      listen,
      tls: init.tls,
      maxConnections: init.maxConnections ?? 10_000,
      limits: { ...defaultLimits, ...init.limits },
      clock,
      log,
    }),
  );
  const owned = opened.move();
  return {
    url: `http://${hostOf(listen.host)}:${server.port}`,
    tlsUrl:
      init.tls === undefined
        ? undefined
        : `https://${hostOf(init.tls.host)}:${server.tlsPort ?? 0}`,
    counters,
    configure: (settings) => {
      // An error in it must leave what runs as it is.
      channels = new ChannelTable(settings, clock, channels);
      return Promise.resolve();
    },
    purge: (target: PurgeTarget, mode: PurgeMode) => purge(purgeName(target), mode),
    pin: (place, pinned) => pinPlace(state, place, pinned),
    stats: (): Promise<CacheStats> =>
      Promise.resolve({
        requests: counters.requests,
        hits: counters.hits,
        misses: counters.misses,
        passes: counters.passes,
        fetches: counters.fetches,
        originFailures: counters.originFailures,
        objects: disk?.objects ?? state.memory.objects,
        bytes: disk?.bytes ?? state.memory.bytes,
        channels: Object.fromEntries(
          channels.all.map(({ settings: { name }, counters: own }) => {
            const diskBytes = disk?.bytesOf(name) ?? 0;
            return [name, { ...own, memoryBytes: state.memory.bytesOf(name), diskBytes }];
          }),
        ),
      }),
    reloadCertificate: () => server.reloadCertificate(),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function hostOf(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}
