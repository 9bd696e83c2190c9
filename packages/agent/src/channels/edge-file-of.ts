import { defined } from '@tapline/base';
import type { ChannelEdgeSpec } from '@tapline/resources';

/** What `tapline edge-cache serve` reads: every channel of a node. */
export function edgeFileOf(
  specs: readonly ChannelEdgeSpec[],
  { url }: { readonly url: string },
): string {
  const channels = specs
    .toSorted((a, b) => (a.channel < b.channel ? -1 : 1))
    .map((spec) => {
      const { channel, node, origin, cache, pathways, playlist } = spec;
      const own = [{ id: node, url }];
      return {
        name: channel,
        prefix: `/${channel}/`,
        stripPrefix: true,
        anySite: true,
        origins: [origin.base.replace(/\/$/, '')],
        ...defined({ originHost: origin.host, parents: cache.parents }),
        defaults: {
          playlist: milliseconds(cache.playlistSeconds),
          segment: milliseconds(cache.segmentSeconds),
          negative: milliseconds(cache.negativeSeconds),
        },
        staleWhileRevalidate: milliseconds(cache.staleWhileRevalidateSeconds),
        staleIfError: milliseconds(cache.staleIfErrorSeconds),
        rangeMiss: cache.rangeMiss,
        maxObjectBytes: cache.maxObjectBytes,
        limits: cache.limits,
        entry: {
          playlist,
          originBase: origin.base,
          pathways:
            pathways.length === 0
              ? own
              : pathways.map((pathway) => ({ id: pathway.node, url: pathway.url })),
        },
      };
    });
  return `${JSON.stringify({ channels }, undefined, 2)}\n`;
}

/** The file takes six digits of a unit. */
function milliseconds(seconds: number): string {
  if (seconds < 1000) return `${Math.round(seconds * 1000)}ms`;
  return seconds < 1_000_000 ? `${Math.round(seconds)}s` : `${Math.round(seconds / 60)}m`;
}
