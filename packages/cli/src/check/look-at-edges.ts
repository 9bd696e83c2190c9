import { type Clock, errorMessage } from '@tapline/base';
import type { Channel } from '@tapline/resources';
import type { EdgeSight } from './judge-stream.ts';

const maxObjectBytes = 256 * 1024 * 1024;

// RFC 8216bis §6.2.1: a new segment is there within one and a half target durations.
const targets = 1.5;

/**
 * Asks each edge of a channel as a player does that begins. A live one is asked until its edge has moved,
 * or until it is late by `behindSeconds`.
 */
export async function lookAtEdges(
  { metadata, spec, status }: Channel,
  init: {
    readonly behindSeconds: number;
    readonly timeoutMs: number;
    readonly clock: Clock;
    readonly signal: AbortSignal;
  },
): Promise<readonly EdgeSight[]> {
  const { lookAtStream } = await import('@tapline/edge-cache');
  const { clock } = init;
  const playlist = new URL(spec.origin.url).pathname.split('/').at(-1) ?? '';
  const edges = (status?.edges ?? []).filter(({ url }) => url !== undefined);

  async function look(url: string): ReturnType<typeof lookAtStream> {
    const signal = AbortSignal.any([init.signal, AbortSignal.timeout(init.timeoutMs)]);
    const place = { base: `${url}/${metadata.name}/`, playlist };
    return await lookAtStream(place, { maxObjectBytes, clock, signal });
  }

  async function sightOf(node: string, url: string): Promise<EdgeSight> {
    try {
      const { firstSegmentSeconds, live } = await look(url);
      if (live === undefined) return { node, firstSegmentSeconds };
      const fromMs = clock.monotonic();
      const mayMs = targets * live.targetSeconds * 1000;
      for (;;) {
        await clock.sleep(Math.max(200, live.targetSeconds * 250), { signal: init.signal });
        const stillMs = clock.monotonic() - fromMs;
        const next = await look(url);
        const behindSeconds = Math.max(0, (stillMs - mayMs) / 1000);
        const isOver = next.live?.edge !== live.edge || behindSeconds > init.behindSeconds;
        if (isOver) return { node, firstSegmentSeconds, behindSeconds };
      }
    } catch (error) {
      init.signal.throwIfAborted();
      return { node, failure: errorMessage(error).slice(0, 200) };
    }
  }

  return await Promise.all(edges.map(({ node, url = '' }) => sightOf(node, url)));
}
