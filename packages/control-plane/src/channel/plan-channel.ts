import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { defined, isTaplineError } from '@tapline/base';
import type { Channel, ChannelEdgeSpec, ChannelStatus } from '@tapline/resources';
import { type ChannelOrigin, channelOrigin } from './channel-origin.ts';
import { channelStatus, invalidStatus, type ValidationRound } from './channel-status.ts';
import { type ChannelView, isServing, type SeenEdge, seenEdges } from './seen-edges.ts';
import { shareObjects } from './share-objects.ts';

export type ChannelStep =
  | { readonly kind: 'put-edge'; readonly spec: ChannelEdgeSpec }
  | { readonly kind: 'delete-edge'; readonly node: string };

export interface ChannelPlan {
  readonly status: ChannelStatus;
  readonly steps: readonly ChannelStep[];
  readonly requeueAfterMs: number | undefined;
}

/** A load that did not reach the objective is tried again after this. */
const validateAgainMs = 15_000;

/** What a channel's edges have to be, and how far it is; pure. */
export function planChannel(channel: Channel, view: ChannelView): ChannelPlan {
  const { spec } = channel;
  let origin: ChannelOrigin;
  try {
    origin = channelOrigin(spec.origin);
  } catch (error) {
    if (!isTaplineError(error)) throw error;
    return {
      status: invalidStatus(channel, error, view.nowMs),
      steps: [],
      requeueAfterMs: undefined,
    };
  }
  const template = templateOf(channel);
  const { placed, withdrawn } = seenEdges(channel, view);
  const round = validationRound(channel, { template, nowMs: view.nowMs });
  const pathways = [...placed]
    .filter((seen) => isServing(seen) && seen.url !== undefined)
    .toSorted(
      (a, b) => Number(a.state === 'Leaving') - Number(b.state === 'Leaving') || a.epoch - b.epoch,
    )
    .map(({ node, url = '' }) => ({ node, url }));
  const shares = shareObjects(
    spec.prime.objects ?? [],
    placed.map(({ node }) => node),
  );
  const status = channelStatus(channel, { view, placed, pathways, template, round });
  const desired = (seen: SeenEdge): ChannelEdgeSpec => ({
    channel: channel.metadata.name,
    node: seen.node,
    epoch: seen.epoch,
    playlist: origin.playlist,
    origin: { base: origin.base, ...defined({ host: spec.origin.host }) },
    cache: spec.cache,
    pathways,
    prime: {
      generation: spec.prime.generation,
      lastSeconds: spec.prime.lastSeconds,
      objects: [...(shares.get(seen.node) ?? [])],
      bytesPerSecond: spec.prime.bytesPerSecond,
    },
    flush: spec.flush,
    ...(round.due && {
      validate: {
        run: round.run,
        requests: spec.validate.requests,
        requestsPerSecond: spec.validate.requestsPerSecond,
        zipf: spec.validate.zipf,
        ...defined({ recorded: spec.validate.recorded }),
      },
    }),
  });
  const steps: ChannelStep[] = [];
  for (const seen of placed) {
    if (!seen.attached && seen.edge === undefined) continue;
    const wanted = desired(seen);
    if (!isDeepStrictEqual(seen.edge?.spec, wanted)) steps.push({ kind: 'put-edge', spec: wanted });
  }
  const leaving = withdrawn.map((seen) =>
    leave(seen, { leaveMs: spec.edges.leaveSeconds * 1000, pathways, nowMs: view.nowMs }),
  );
  steps.push(...leaving.flatMap(({ step }) => (step === undefined ? [] : [step])));
  const waits = [
    ...leaving.flatMap(({ waitMs }) => (waitMs === undefined ? [] : [waitMs])),
    ...(round.againInMs === undefined ? [] : [round.againInMs]),
  ];
  return {
    status,
    steps,
    requeueAfterMs: waits.length === 0 ? undefined : Math.max(1, Math.min(...waits)),
  };
}

/** What makes a channel begin its steps anew. */
function templateOf({ metadata, spec }: Channel): string {
  // To be flushed or primed once more makes it no other channel, that would have to prove itself again.
  const { flush: _flush, prime, ...rest } = spec;
  const { generation: _generation, ...filled } = prime;
  const text = JSON.stringify([metadata.uid, { ...rest, prime: filled }]);
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** Which attempt at the objective it is, and when the next one is due. */
function validationRound(
  { spec, status = {} }: Channel,
  { template, nowMs }: { readonly template: string; readonly nowMs: number },
): ValidationRound {
  const before = status.validationRun ?? 0;
  if (status.template !== template) return { run: before + 1, due: true, againInMs: undefined };
  const { validation, validatedAt } = status;
  if (validation === undefined || validatedAt === undefined) {
    return { run: Math.max(1, before), due: true, againInMs: undefined };
  }
  // What was reached once is not asked again of each edge that comes later.
  if (validation.ratio >= spec.objectives.hitRatio) {
    return { run: before, due: false, againInMs: undefined };
  }
  const againInMs = Date.parse(validatedAt) + validateAgainMs - nowMs;
  return againInMs <= 0
    ? { run: before + 1, due: true, againInMs: undefined }
    : { run: before, due: true, againInMs };
}

/** An edge that was taken away serves whom it has for a while; a dead one is gone at once. */
function leave(
  { edge, there, node }: SeenEdge,
  about: {
    readonly leaveMs: number;
    readonly pathways: ChannelEdgeSpec['pathways'];
    readonly nowMs: number;
  },
): { readonly step?: ChannelStep; readonly waitMs?: number } {
  if (edge === undefined) return {};
  const { nowMs, leaveMs, pathways } = about;
  const since = edge.spec.leavingAt === undefined ? nowMs : Date.parse(edge.spec.leavingAt);
  const waitMs = since + leaveMs - nowMs;
  if (!there || waitMs <= 0) return { step: { kind: 'delete-edge', node } };
  const { validate: _validate, ...kept } = edge.spec;
  const wanted = { ...kept, pathways, leavingAt: new Date(since).toISOString() };
  return isDeepStrictEqual(edge.spec, wanted)
    ? { waitMs }
    : { step: { kind: 'put-edge', spec: wanted }, waitMs };
}
