import type { Clock, Rng } from '@tapline/base';
import type { ChannelPlace, StreamSight } from '@tapline/edge-cache';
import type { ChannelEdgeSpec, ChannelEdgeStatus } from '@tapline/resources';

/** Requests that the agent itself made. */
export interface OwnRequests {
  readonly requests: number;
  readonly hits: number;
}

export const noOwnRequests: OwnRequests = { requests: 0, hits: 0 };

type Done = NonNullable<ChannelEdgeStatus['primed']>;
type Load = NonNullable<ChannelEdgeStatus['validation']>;

/** What a node does with a channel once its edge serves it. */
export interface ChannelJobs {
  prime(
    spec: ChannelEdgeSpec,
    about: { readonly url: string; readonly signal: AbortSignal },
  ): Promise<{ readonly primed: Done; readonly asked: OwnRequests }>;
  validate(
    spec: ChannelEdgeSpec,
    about: { readonly url: string; readonly signal: AbortSignal },
  ): Promise<{ readonly validation: Load; readonly asked: OwnRequests }>;
  /** Asks the edge as a player does that begins. */
  look(
    spec: ChannelEdgeSpec,
    about: { readonly url: string; readonly signal: AbortSignal },
  ): Promise<StreamSight>;
}

export function createChannelJobs(init: { readonly clock: Clock; readonly rng: Rng }): ChannelJobs {
  const { clock, rng } = init;
  return {
    async prime(spec, { url, signal }) {
      const { primeEdge } = await import('@tapline/edge-cache');
      const { generation, lastSeconds, objects, bytesPerSecond } = spec.prime;
      const { maxObjectBytes } = spec.cache;
      const about = { lastSeconds, objects, bytesPerSecond, maxObjectBytes, clock, signal };
      // What was in the cache before was a hit of ours: it is no player's, either.
      const { asked, ...outcome } = await primeEdge(placeOf(spec, url), about);
      return { primed: { generation, ...outcome }, asked };
    },
    async validate(spec, { url, signal }) {
      const { replayLoad } = await import('@tapline/edge-cache');
      const {
        run = 1,
        recorded,
        requests = 1,
        requestsPerSecond = 1,
        zipf = 0,
      } = spec.validate ?? {};
      const { lastSeconds, objects } = spec.prime;
      const { maxObjectBytes } = spec.cache;
      const load = { requests, requestsPerSecond, zipf, lastSeconds, objects, maxObjectBytes };
      const outcome = await replayLoad(placeOf(spec, url), {
        ...load,
        ...(recorded !== undefined && { recorded }),
        clock,
        rng,
        signal,
      });
      return {
        validation: { run, ...outcome },
        asked: { requests: outcome.requests, hits: outcome.hits },
      };
    },
    async look(spec, { url, signal }) {
      const { lookAtStream } = await import('@tapline/edge-cache');
      const { maxObjectBytes } = spec.cache;
      return await lookAtStream(placeOf(spec, url), { maxObjectBytes, clock, signal });
    },
  };
}

function placeOf({ channel, playlist }: ChannelEdgeSpec, url: string): ChannelPlace {
  return { base: `${url}/${channel}/`, playlist };
}
