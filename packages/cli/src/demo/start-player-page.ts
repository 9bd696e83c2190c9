import { createReadStream } from 'node:fs';
import { createServer } from 'node:http';

/** What a player has told of itself last. */
export interface PlayerReport {
  /** Of the stream, in seconds; undefined before it plays. */
  readonly seconds: number;
  /** The longest time for which the picture stood still, once it had begun. */
  readonly longestStallMs: number;
  /** How often it ran out of what to play. */
  readonly stalls: number;
  /** Errors that it could not go on from, and those that it could. */
  readonly fatal: readonly string[];
  readonly errors: readonly string[];
  /** Which edge it has chosen. */
  readonly pathway: string | undefined;
  readonly width: number;
  /** Behind the end of a live stream, in seconds. */
  readonly latency: number;
}

/** A page that plays a stream with hls.js, and tells how that goes. */
export interface PlayerPage extends AsyncDisposable {
  /** Where a browser finds the page for a stream. */
  pageOf(streamUrl: string): string;
  /** Of the page for that stream. */
  report(streamUrl: string): PlayerReport | undefined;
}

const mostBytes = 64 * 1024;

/** Serves the page on loopback; `script` is hls.js as a file. */
export async function startPlayerPage(script: string): Promise<PlayerPage> {
  const reports = new Map<string, PlayerReport>();
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://page');
    if (url.pathname === '/hls.js') {
      response.setHeader('content-type', 'text/javascript');
      createReadStream(script)
        .on('error', () => response.destroy())
        .pipe(response);
      return;
    }
    if (url.pathname === '/report' && request.method === 'POST') {
      let text = '';
      request.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        if (text.length > mostBytes) request.destroy();
      });
      request.on('end', () => {
        const report = JSON.parse(text) as PlayerReport;
        reports.set(url.searchParams.get('stream') ?? '', report);
        response.end();
      });
      return;
    }
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.end(page);
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', () => resolve()));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    pageOf: (streamUrl) => `http://127.0.0.1:${port}/?stream=${encodeURIComponent(streamUrl)}`,
    report: (streamUrl) => reports.get(streamUrl),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => void server.close(() => resolve()));
    },
  };
}

/**
 * hls.js without any setting but low latency, and with what the guide has players do: about a fault of its
 * version 1.7, and about edges that fall silent. It is what a site that embeds it has.
 */
const page = `<!doctype html>
<title>player</title>
<video muted autoplay playsinline width="640"></video>
<script src="/hls.js"></script>
<script>
  const video = document.querySelector('video');
  const stream = new URLSearchParams(location.search).get('stream');
  const told = { seconds: 0, longestStallMs: 0, stalls: 0, fatal: [], errors: [], width: 0, latency: 0 };
  // At another edge hls.js 1.7 asks anew for parts of a segment that it has, and never for what follows.
  function skipLoadedParts(_event, { details }) {
    const { buffered, currentTime } = video;
    let end = 0;
    for (let at = 0; at < buffered.length; at += 1) {
      if (buffered.start(at) <= currentTime) end = buffered.end(at);
    }
    for (const part of details.partList ?? []) {
      if (!part.loaded && part.end <= end + 0.05) part.gap = true;
    }
  }
  // An edge that dies without a word answers nothing, and a low-latency player has a second in hand.
  function missSilentEdges(_event, { details }) {
    if (!details.partTarget) return;
    const { errorRetry } = hls.config.fragLoadPolicy.default;
    const within = (ms) => ({
      default: { maxTimeToFirstByteMs: ms, maxLoadTimeMs: 2 * ms, timeoutRetry: null, errorRetry },
    });
    hls.config.fragLoadPolicy = within(1000);
    hls.config.playlistLoadPolicy = within(1000 * (details.partTarget + 1));
  }
  const hls = new Hls({ lowLatencyMode: true });
  hls.on(Hls.Events.ERROR, (_event, { fatal, details, response, reason }) => {
    if (details === 'bufferStalledError') told.stalls += 1;
    const list = fatal ? told.fatal : told.errors;
    if (list.length < 50) list.push([details, response && response.code, reason].filter(Boolean).join(' '));
  });
  hls.on(Hls.Events.MANIFEST_PARSED, () => video.play());
  hls.on(Hls.Events.LEVEL_UPDATED, skipLoadedParts);
  hls.on(Hls.Events.LEVEL_LOADED, missSilentEdges);
  let last = { at: performance.now(), seconds: 0 };
  setInterval(() => {
    const at = performance.now();
    const moved = video.currentTime !== last.seconds;
    if (last.seconds > 0 && !moved && !video.ended) {
      told.longestStallMs = Math.max(told.longestStallMs, Math.round(at - last.at));
    }
    if (moved) last = { at, seconds: video.currentTime };
  }, 50);
  setInterval(() => {
    const level = hls.levels[hls.currentLevel];
    const report = {
      ...told,
      seconds: video.currentTime,
      pathway: level && level.attrs['PATHWAY-ID'],
      width: video.videoWidth,
      latency: hls.latency,
    };
    fetch('/report?stream=' + encodeURIComponent(stream), { method: 'POST', body: JSON.stringify(report) });
  }, 250);
  hls.loadSource(stream);
  hls.attachMedia(video);
</script>
`;
