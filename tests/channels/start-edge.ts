import { createServer } from 'node:net';
import { silentLog } from '@tapline/base';
import {
  channelSettings,
  entryFolder,
  startEdgeCache,
  startEntryServer,
} from '@tapline/edge-cache';

export const forms = ['vod', 'live', 'll'] as const;

export interface Edge extends AsyncDisposable {
  readonly url: string;
}

/** An edge with the three channels, each with the ways over all edges. */
export async function startEdge(
  originUrl: string,
  {
    name,
    edges,
    listenAt = edges[name] ?? 0,
  }: {
    readonly name: string;
    readonly edges: Readonly<Record<string, number>>;
    /** Where it listens, where that is not where players reach it. */
    readonly listenAt?: number;
  },
): Promise<Edge> {
  await using opened = new AsyncDisposableStack();
  const url = `http://127.0.0.1:${edges[name]}`;
  const entries = opened.use(await startEntryServer({ name, edgeUrl: () => url, log: silentLog }));
  const pathways = Object.entries(edges).map(([id, port]) => ({
    id,
    url: `http://127.0.0.1:${port}`,
  }));
  entries.configure(
    forms.map((form) => ({
      prefix: `/${form}/`,
      entry: {
        playlist: 'main.m3u8',
        originBase: `${originUrl}/${form}/`,
        pathways,
        steeringSeconds: 4,
      },
    })),
  );
  opened.use(
    await startEdgeCache({
      name,
      listen: { host: '127.0.0.1', port: listenAt },
      channels: forms.flatMap((form) => [
        channelSettings({
          name: form,
          prefix: `/${form}/`,
          stripPrefix: true,
          anySite: true,
          origins: [`${originUrl}/${form}`],
          defaults: { playlistMs: 200, segmentMs: 60_000, negativeMs: 0 },
        }),
        channelSettings({
          name: `${form}.entry`,
          prefix: `/${form}/${entryFolder}`,
          origins: [entries.url],
        }),
      ]),
    }),
  );
  const owned = opened.move();
  return { url, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', () => resolve()));
  const address = server.address();
  await new Promise<void>((resolve) => void server.close(() => resolve()));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
