import { type Clock, errorMessage, type Log } from '@tapline/base';
import type {
  ChannelEdgeSpec,
  ChannelEdgeStatus,
  EdgeStorage,
  RecentHits,
} from '@tapline/resources';
import type { EdgeFigures } from './ask-edge.ts';
import { type ChannelJobs, noOwnRequests, type OwnRequests } from './channel-jobs.ts';
import { type HitSample, recentHits, withSample } from './recent-hits.ts';
import { nextLiveness, type StreamLiveness } from './stream-liveness.ts';

export interface ChannelWatchInit {
  /** What is served now, and how it stands. */
  readonly served: () => Iterable<{ readonly name: string; readonly spec: ChannelEdgeSpec }>;
  readonly status: (name: string) => ChannelEdgeStatus | undefined;
  readonly set: (name: string, change: Partial<ChannelEdgeStatus>) => void;
  /** Whose own requests are under way, and not told apart from players' until they end. */
  readonly isBusy: (name: string) => boolean;
  readonly program: { readonly url: string | undefined; figures(): Promise<EdgeFigures> };
  readonly jobs: Pick<ChannelJobs, 'look'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Counts what players get from the edge of a node, and looks at each stream as one of them. */
export interface ChannelWatch extends AsyncDisposable {
  /** Requests that were no player's, and after which what was lately says nothing any more. */
  own(channel: string, asked: OwnRequests): void;
  /** What was lately says nothing any more. */
  forget(channel: string): void;
  /** Counts at once, and soon once more. */
  wake(): void;
  /** The edge counts anew. */
  clear(): void;
}

const sampleMs = 1000;
/** After a flush or a priming, until there is a between to speak of. */
const soonMs = 500;
/** What is counted over less says little. */
const leastMs = 400;
/** As often as that everything is told; in between only what says something else. */
const tellMs = 10_000;
const lookMs = 5000;
const lookWithinMs = 5000;
/** A share that moved by less says the same. */
const sameShare = 0.05;
const sameStorage = 0.05;
/** A share of so few says more with twice as many. */
const fewRequests = 100;

export function createChannelWatch(init: ChannelWatchInit): ChannelWatch {
  const { program, clock, log } = init;
  const own = new Map<string, OwnRequests>();
  const samples = new Map<string, readonly HitSample[]>();
  const liveness = new Map<string, StreamLiveness>();
  const toldMs = new Map<string, number>();
  const stopping = new AbortController();
  let waking = new AbortController();
  const running = watchAlways();

  async function watchAlways(): Promise<void> {
    let lookedMs = clock.monotonic();
    for (;;) {
      const both = AbortSignal.any([stopping.signal, waking.signal]);
      await clock.sleep(pauseMs(), { signal: both }).catch(() => undefined);
      if (stopping.signal.aborted) return;
      if (waking.signal.aborted) waking = new AbortController();
      const { url } = program;
      if (url === undefined || [...init.served()].length === 0) continue;
      try {
        // First, as an edge that hangs tells no figures either; and never while it is counted, as requests
        // of ours are told apart from players' once they have ended.
        if (clock.monotonic() - lookedMs >= lookMs) {
          lookedMs = clock.monotonic();
          await Promise.all([...init.served()].map((one) => look(one, url)));
        }
        const { channels = {} } = await program.figures();
        for (const { name, spec } of init.served()) {
          const figures = channels[spec.channel];
          if (figures === undefined) continue;
          count(name, spec.channel, figures);
          weigh(name, figures);
        }
      } catch (error) {
        log.debug('the edge cache told no figures', { error: errorMessage(error) });
      }
    }
  }

  function pauseMs(): number {
    const isNew = [...samples.values()].some(({ length }) => length < 3);
    return isNew ? soonMs : sampleMs;
  }

  function isSettled(name: string): boolean {
    return init.status(name)?.observedEpoch !== undefined && !init.isBusy(name);
  }

  function count(
    name: string,
    channel: string,
    figures: { readonly hits: number; readonly misses: number },
  ): void {
    if (!isSettled(name)) return;
    const ours = own.get(channel) ?? noOwnRequests;
    const requests = Math.max(0, figures.hits + figures.misses - ours.requests);
    const hits = Math.min(requests, Math.max(0, figures.hits - ours.hits));
    const nowMs = clock.monotonic();
    const counted = samples.get(name) ?? [];
    if (nowMs - (counted.at(-1)?.atMs ?? Number.NEGATIVE_INFINITY) < leastMs) return;
    const next = withSample(counted, { atMs: nowMs, requests, hits });
    samples.set(name, next);
    const recent = recentHits(next);
    const before = init.status(name) ?? {};
    const isDue = nowMs - (toldMs.get(name) ?? Number.NEGATIVE_INFINITY) >= tellMs;
    if (!isDue && saysTheSame(before.recent, recent)) return;
    toldMs.set(name, nowMs);
    const ratio = requests === 0 ? 0 : Math.round((hits / requests) * 10_000) / 10_000;
    const isTold = before.traffic?.requests === requests && before.traffic.hits === hits;
    if (isTold && before.recent?.requests === recent?.requests) return;
    init.set(name, {
      traffic: { requests, hits, ratio },
      ...(recent !== undefined && { recent }),
    });
  }

  /** Said anew only where it has become another order of things, as it changes with each object. */
  function weigh(name: string, { memoryBytes, diskBytes }: EdgeStorage): void {
    if (!isSettled(name)) return;
    const { storage } = init.status(name) ?? {};
    if (isAlike(storage?.memoryBytes, memoryBytes) && isAlike(storage?.diskBytes, diskBytes))
      return;
    init.set(name, { storage: { memoryBytes, diskBytes } });
  }

  async function look(
    { name, spec }: { readonly name: string; readonly spec: ChannelEdgeSpec },
    url: string,
  ): Promise<void> {
    if (!isSettled(name)) return;
    const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(lookWithinMs)]);
    try {
      const { asked, live, firstSegmentSeconds } = await init.jobs.look(spec, { url, signal });
      add(spec.channel, asked);
      if (live === undefined) {
        init.set(name, { stream: { firstSegmentSeconds } });
        return;
      }
      const next = nextLiveness(liveness.get(name), live, clock.monotonic());
      liveness.set(name, next.liveness);
      const { behindSeconds } = next;
      init.set(name, { stream: { firstSegmentSeconds, behindSeconds } });
    } catch (error) {
      if (stopping.signal.aborted) return;
      const failure = signal.aborted
        ? `nothing came within ${lookWithinMs / 1000} s`
        : errorMessage(error).slice(0, 1000);
      init.set(name, { stream: { failure } });
    }
  }

  function add(channel: string, asked: OwnRequests): void {
    const before = own.get(channel) ?? noOwnRequests;
    own.set(channel, {
      requests: before.requests + asked.requests,
      hits: before.hits + asked.hits,
    });
  }

  function forget(channel: string): void {
    for (const { name, spec } of init.served()) {
      if (spec.channel === channel) samples.delete(name);
    }
  }

  return {
    own(channel, asked) {
      add(channel, asked);
      forget(channel);
    },
    forget,
    wake: () => waking.abort(),
    clear() {
      own.clear();
      samples.clear();
      liveness.clear();
      toldMs.clear();
    },
    async [Symbol.asyncDispose]() {
      stopping.abort(new Error('the agent is stopping'));
      await running;
    },
  };
}

function isAlike(before: number | undefined, now: number): boolean {
  return before !== undefined && Math.abs(before - now) <= sameStorage * Math.max(before, now);
}

function saysTheSame(before: RecentHits | undefined, now: RecentHits | undefined): boolean {
  if (before === undefined || now === undefined) return before === now;
  if ((before.requests === 0) !== (now.requests === 0)) return false;
  if (before.requests < fewRequests && now.requests >= 2 * before.requests) return false;
  return Math.abs(before.ratio - now.ratio) < sameShare;
}
