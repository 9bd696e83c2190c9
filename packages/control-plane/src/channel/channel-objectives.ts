import { defined } from '@tapline/base';
import type { Channel, Condition, RecentHits, StreamLook } from '@tapline/resources';
import { isServing, type SeenEdge } from './seen-edges.ts';

type Verdict = Pick<Condition, 'status' | 'reason' | 'message'>;

/** From so many requests a second and edge on, few misses are new content rather than a cold cache. */
const busyEdge = 20;
/** Fewer requests say nothing about a share of them. */
const leastRequests = 20;

/** What players get from a channel now, against what it is to be. */
export interface ChannelObserved {
  readonly recent: RecentHits | undefined;
  readonly stream: StreamLook | undefined;
  /** Nodes whose edge is too slow. */
  readonly slow: ReadonlySet<string>;
  readonly verdicts: Readonly<Record<'HitRatio' | 'Stream', Verdict>>;
}

/** Judges by the edges that serve; what nobody asks for and nobody has looked at is not known. */
export function channelObserved(
  { spec }: Pick<Channel, 'spec'>,
  placed: readonly SeenEdge[],
): ChannelObserved {
  const { objectives } = spec;
  const serving = placed.filter((seen) => isServing(seen) && seen.edge !== undefined);
  const recents = serving.flatMap(({ edge }) => edge?.status?.recent ?? []);
  const recent = recents.length === 0 ? undefined : sumRecent(recents);
  const looks = serving.flatMap(({ node, edge }) => {
    const look = edge?.status?.stream;
    return look === undefined ? [] : [{ node, look, why: whySlow(look, objectives) }];
  });
  const slow = looks.filter(({ why }) => why !== undefined);
  return {
    recent,
    stream: worstOf(looks.map(({ look }) => look)),
    slow: new Set(slow.map(({ node }) => node)),
    verdicts: {
      HitRatio: hitRatioVerdict(recent, { objectives, edges: recents.length }),
      Stream: streamVerdict(looks),
    },
  };
}

function hitRatioVerdict(
  recent: RecentHits | undefined,
  about: { readonly objectives: Channel['spec']['objectives']; readonly edges: number },
): Verdict {
  const { hitRatio, trafficHitRatio } = about.objectives;
  const objective = trafficHitRatio ?? hitRatio;
  const { requests = 0, ratio = 0, seconds = 0 } = recent ?? {};
  const perEdge = seconds === 0 ? 0 : requests / seconds / Math.max(1, about.edges);
  const isBusy = trafficHitRatio !== undefined || perEdge >= busyEdge;
  if (requests < leastRequests || !isBusy) {
    const message = `${requests} requests in ${seconds} s are too few to tell`;
    return { status: 'Unknown', reason: 'FewRequests', message };
  }
  const message = `${percent(ratio)} of ${requests} requests in ${seconds} s were hits, ${percent(objective)} are asked for`;
  return ratio >= objective
    ? { status: 'True', reason: 'ObjectiveReached', message }
    : { status: 'False', reason: 'BelowObjective', message };
}

function streamVerdict(
  looks: readonly { readonly node: string; readonly why: string | undefined }[],
): Verdict {
  const slow = looks.filter(({ why }) => why !== undefined);
  if (looks.length === 0) {
    return { status: 'Unknown', reason: 'NotLooked', message: 'nobody has looked at it yet' };
  }
  if (slow.length === 0) {
    const message = `it comes in time from ${looks.length} edges`;
    return { status: 'True', reason: 'InTime', message };
  }
  const message = slow.map(({ node, why }) => `${node}: ${why}`).join('; ');
  // One of several is the node's fault; all of them are the origin's, or that of what is cached.
  const reason = slow.length < looks.length ? 'EdgeSlow' : 'Slow';
  return { status: 'False', reason, message: message.slice(0, 1000) };
}

function whySlow(
  { failure, firstSegmentSeconds = 0, behindSeconds = 0 }: StreamLook,
  limits: Channel['spec']['objectives'],
): string | undefined {
  if (failure !== undefined) return failure;
  if (firstSegmentSeconds > limits.firstSegmentSeconds) {
    return `the first segment took ${firstSegmentSeconds} s; the limit is ${limits.firstSegmentSeconds} s`;
  }
  return behindSeconds > limits.behindSeconds
    ? `its playlist has stood still for ${behindSeconds} s longer than it may; the limit is ${limits.behindSeconds} s`
    : undefined;
}

function worstOf(looks: readonly StreamLook[]): StreamLook | undefined {
  if (looks.length === 0) return undefined;
  const most = (of: (look: StreamLook) => number | undefined): number | undefined => {
    const all = looks.flatMap((look) => of(look) ?? []);
    return all.length === 0 ? undefined : Math.max(...all);
  };
  return {
    ...defined({
      firstSegmentSeconds: most((look) => look.firstSegmentSeconds),
      behindSeconds: most((look) => look.behindSeconds),
      failure: looks.find(({ failure }) => failure !== undefined)?.failure,
    }),
  };
}

function sumRecent(all: readonly RecentHits[]): RecentHits {
  const requests = all.reduce((sum, one) => sum + one.requests, 0);
  const hits = all.reduce((sum, one) => sum + one.hits, 0);
  return {
    requests,
    hits,
    ratio: requests === 0 ? 0 : Math.round((hits / requests) * 10_000) / 10_000,
    seconds: Math.max(...all.map(({ seconds }) => seconds)),
  };
}

function percent(ratio: number): string {
  return `${(ratio * 100).toFixed(1)} %`;
}
