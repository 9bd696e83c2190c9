import { isTaplineError, TaplineError } from '@tapline/base';
import {
  applyDelta,
  type ChannelUrl,
  checkUpdate,
  type Finding,
  type MediaPlaylist,
  mediaUrls,
  multivariantUrls,
  nextReload,
  targetLatency,
  withReloadDirectives,
} from '@tapline/hls';
import { fetchBytes, type FetchContext, fetchPlaylist } from './fetch-playlist.ts';

/** What is known of one rendition after it was looked at. */
export interface RenditionReport {
  readonly url: string;
  readonly kind: 'live' | 'low-latency' | 'ended';
  readonly segments: number;
  /** Seconds of media that are listed, and seconds that players stay behind the end. */
  readonly seconds: number;
  readonly latencySeconds: number;
  /** Until the playlist was there, and then until its next version was, where there is one. */
  readonly fetchedMs: number;
  readonly reloadedMs?: number;
  readonly findings: readonly Finding[];
  /** Why it could not be looked at, or a segment of it not be fetched. */
  readonly failure?: string;
}

export interface StreamReport {
  readonly url: string;
  readonly findings: readonly Finding[];
  readonly renditions: readonly RenditionReport[];
}

const mostRenditions = 64;
const mostSegmentBytes = 256 * 1024 * 1024;

/**
 * Looks at a stream as a player does: the multivariant playlist, each rendition, its newest segment
 * and what that needs, and one reload of what is live. Throws `origin_failed`, `playlist_invalid`
 * and `playlist_too_large` where there is no stream at all.
 */
export async function checkStream(url: string, context: FetchContext): Promise<StreamReport> {
  const first = await fetchPlaylist(url, context);
  if (first.playlist.kind === 'media') {
    const { findings, milliseconds, playlist } = first;
    const rendition = { url: first.url, playlist, findings, fetchedMs: milliseconds };
    return { url: first.url, findings: [], renditions: [await lookAt(rendition, context)] };
  }
  const { variables } = first.playlist;
  const { urls, elsewhere } = multivariantUrls(first.playlist, first.url);
  const playlists = urls.filter(({ kind }) => kind === 'playlist');
  if (playlists.length > mostRenditions) {
    throw new TaplineError(
      'origin_failed',
      `${first.url} has ${playlists.length} renditions, more than ${mostRenditions}`,
    );
  }
  const renditions = await Promise.all(
    playlists.map((one) => checkRendition(one.url, variables, context)),
  );
  const lost: Finding[] = elsewhere.map((uri) => ({
    severity: 'error',
    code: 'attribute-invalid',
    message: `${uri} is no address of http or https`,
  }));
  return { url: first.url, findings: [...first.findings, ...lost], renditions };
}

async function checkRendition(
  url: string,
  variables: Readonly<Record<string, string>>,
  context: FetchContext,
): Promise<RenditionReport> {
  try {
    const {
      playlist,
      findings,
      milliseconds,
      url: found,
    } = await fetchPlaylist(url, context, variables);
    if (playlist.kind === 'media') {
      return await lookAt({ url: found, playlist, findings, fetchedMs: milliseconds }, context);
    }
    throw new TaplineError('origin_failed', `${url} is a multivariant playlist in another one`);
  } catch (error) {
    if (!isTaplineError(error)) throw error;
    return {
      url,
      kind: 'ended',
      segments: 0,
      seconds: 0,
      latencySeconds: 0,
      fetchedMs: 0,
      findings: [],
      failure: error.message,
    };
  }
}

interface Rendition {
  readonly url: string;
  readonly playlist: MediaPlaylist;
  readonly findings: readonly Finding[];
  readonly fetchedMs: number;
}

async function lookAt(rendition: Rendition, context: FetchContext): Promise<RenditionReport> {
  const { url, playlist, fetchedMs } = rendition;
  const { segments, ended, partTarget } = playlist;
  const report: RenditionReport = {
    url,
    kind: ended ? 'ended' : partTarget === undefined ? 'live' : 'low-latency',
    segments: segments.length,
    seconds: segments.reduce((sum, { duration }) => sum + duration, 0),
    latencySeconds: targetLatency(playlist),
    fetchedMs,
    findings: rendition.findings,
  };
  try {
    // Half a second reaches back into the last segment, with its key and its map before it.
    const { urls } = mediaUrls(playlist, url, { lastSeconds: 0.5 });
    for (const one of urls) {
      if (one.kind !== 'key' && one.kind !== 'part') await fetchSome(one, context);
    }
    if (ended) return report;
    const { findings, reloadedMs } = await reload(rendition, context);
    return { ...report, reloadedMs, findings: [...report.findings, ...findings] };
  } catch (error) {
    if (!isTaplineError(error)) throw error;
    return { ...report, failure: error.message };
  }
}

async function fetchSome({ url, byteRange }: ChannelUrl, context: FetchContext): Promise<void> {
  const headers =
    byteRange === undefined
      ? {}
      : { range: `bytes=${byteRange.offset}-${byteRange.offset + byteRange.length - 1}` };
  const { bytes } = await fetchBytes(url, { ...context, headers, maxBytes: mostSegmentBytes });
  if (bytes.length === 0) throw new TaplineError('origin_failed', `${url} is empty`);
  if (byteRange !== undefined && bytes.length !== byteRange.length) {
    const message = `${url} gives ${bytes.length} bytes of a range of ${byteRange.length}`;
    throw new TaplineError('origin_failed', message);
  }
}

/** The next version: asked for where the server blocks, else after half a target duration. */
async function reload(
  { url, playlist }: Rendition,
  context: FetchContext,
): Promise<{ readonly findings: readonly Finding[]; readonly reloadedMs: number }> {
  const { clock, signal } = context;
  const fromMs = clock.monotonic();
  const directives = nextReload(playlist);
  if (directives.msn === undefined) {
    await clock.sleep(Math.max(500, playlist.targetDuration * 500), { signal });
  }
  // A server may hold a request for three target durations.
  const patience = Math.max(context.timeoutMs, playlist.targetDuration * 3500);
  const next = await fetchPlaylist(withReloadDirectives(url, directives), {
    ...context,
    timeoutMs: patience,
  });
  const reloadedMs = clock.monotonic() - fromMs;
  if (next.playlist.kind !== 'media') {
    throw new TaplineError('origin_failed', `${url} became a multivariant playlist`);
  }
  const whole = applyDelta(playlist, next.playlist);
  return { findings: [...next.findings, ...checkUpdate(playlist, whole)], reloadedMs };
}
