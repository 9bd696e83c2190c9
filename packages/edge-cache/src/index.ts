export {
  type ChannelSettings,
  channelSettings,
  type SigningSettings,
} from './channel/channel-settings.ts';
export {
  type ChannelEntry,
  type EdgePathway,
  entryFolder,
  entryPlaylist,
} from './entry/channel-entry.ts';
export {
  type EntryChannel,
  type EntryServer,
  startEntryServer,
} from './entry/start-entry-server.ts';
export type { ChannelPlace } from './warm/channel-objects.ts';
export { servedByLog } from './warm/access-log.ts';
export { type RankedObject, rankByPopularity, type ServedObject } from './warm/popularity.ts';
export { lookAtStream, type StreamSight } from './warm/look-at-stream.ts';
export { primeEdge, type PrimeOutcome } from './warm/prime-edge.ts';
export { type LoadOutcome, replayLoad } from './warm/replay-load.ts';
export { signTarget } from './channel/signed-target.ts';
export type { CacheEngine, CacheStats } from './engine/cache-engine.ts';
export type { ListenAddress, TlsFiles } from './engine/edge-server.ts';
export { type EdgeCache, type EdgeCacheInit, startEdgeCache } from './engine/start-edge-cache.ts';
export type { PurgeMode, PurgeTarget } from './store/purge-table.ts';
export { startVarnish, type VarnishInit } from './varnish/start-varnish.ts';
export { type VarnishPrograms, varnishPrograms, vinylPrograms } from './varnish/varnish-program.ts';
export { startEdgeAdmin, type EdgeAdminInit } from './admin/start-edge-admin.ts';
export { DiskIndex, type RecordEntry, type SegmentEntry } from './store/disk-index.ts';
export { Sieve } from './store/sieve.ts';
