export {
  type ChannelUrl,
  type ChannelUrls,
  hintedUrls,
  mediaUrls,
  multivariantUrls,
} from './edge/channel-urls.ts';
export { playlistCacheSeconds, segmentCacheSeconds } from './edge/cache-seconds.ts';
export { edgeDistance, type EdgeDistance } from './edge/edge-distance.ts';
export { liveEdge, type LiveEdge } from './edge/live-edge.ts';
export { playlistSeconds } from './edge/playlist-seconds.ts';
export { resolveUrl } from './edge/resolve-url.ts';
export { targetLatency } from './edge/target-latency.ts';
export { type Finding, type FindingCode, findingCodes } from './playlist/finding.ts';
export type {
  ByteRange,
  DateRange,
  EncryptionKey,
  MediaMap,
  MediaPlaylist,
  MediaSegment,
  PartialSegment,
  PlaylistStart,
  PreloadHint,
  RenditionReport,
  ServerControl,
  SkippedPart,
} from './playlist/media-playlist.ts';
export type {
  ContentSteering,
  MultivariantPlaylist,
  Rendition,
  SessionData,
  Variant,
} from './playlist/multivariant-playlist.ts';
export type { Playlist } from './playlist/playlist.ts';
export { defaultPlaylistLimits, type PlaylistLimits } from './playlist/playlist-limits.ts';
export { parsePlaylist, type ParsedPlaylist, type ParseOptions } from './reading/parse-playlist.ts';
export { applyDelta } from './reload/apply-delta.ts';
export { decideReload, type ReloadDecision } from './reload/decide-reload.ts';
export { makeDelta } from './reload/make-delta.ts';
export { nextReload } from './reload/next-reload.ts';
export {
  parseReloadDirectives,
  type ReloadDirectives,
  withReloadDirectives,
} from './reload/reload-directives.ts';
export { checkPlaylist } from './rules/check-playlist.ts';
export { checkUpdate } from './rules/check-update.ts';
export { validatePlaylist } from './rules/validate-playlist.ts';
export { addPathways, type Pathway } from './writing/add-pathways.ts';
export { formatMediaPlaylist } from './writing/format-media-playlist.ts';
export { clonePathway, type PathwayClone } from './writing/pathway-clone.ts';
