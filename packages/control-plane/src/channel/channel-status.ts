import { defined, type TaplineError } from '@tapline/base';
import {
  type Channel,
  channelSteps,
  type ChannelStatus,
  type Condition,
  type EdgeHits,
  type EdgeStorage,
  findCondition,
  setCondition,
} from '@tapline/resources';
import { channelObserved } from './channel-objectives.ts';
import { type ChannelView, isServing, type SeenEdge } from './seen-edges.ts';

/** Which attempt at the objective it is. */
export interface ValidationRound {
  readonly run: number;
  /** Whether edges have to be under load. */
  readonly due: boolean;
  readonly againInMs: number | undefined;
}

type Verdict = Pick<Condition, 'status' | 'reason' | 'message'>;

/** How far a channel is: a condition for each step, and how long each took. */
export function channelStatus(
  channel: Channel,
  about: {
    readonly view: ChannelView;
    readonly placed: readonly SeenEdge[];
    readonly pathways: readonly { readonly node: string; readonly url: string }[];
    readonly template: string;
    readonly round: ValidationRound;
  },
): ChannelStatus {
  const { metadata, spec, status: before = {} } = channel;
  const { placed, pathways, template, round, view } = about;
  const { replicas } = spec.edges;
  const { nowMs } = view;
  const isNew = before.template !== template;
  const startedAt = isNew ? new Date(nowMs).toISOString() : (before.startedAt ?? '');
  const serving = placed.filter(isServing).length;
  const primed = primedOf(channel, placed);
  const result = round.due && !isNew ? validationOf(placed, round.run) : undefined;
  const kept = isNew || round.run !== before.validationRun ? undefined : before.validation;
  const validation = result ?? kept;
  const newResult = result !== undefined && kept === undefined;
  const validatedAt = newResult
    ? new Date(nowMs).toISOString()
    : validation === undefined
      ? undefined
      : before.validatedAt;
  const verdicts: Record<(typeof channelSteps)[number], Verdict> = {
    Segment: segmentVerdict(channel, about),
    Scheduled: scheduledVerdict(view),
    Cached: cachedVerdict(placed, { serving, replicas }),
    Primed: primedVerdict(placed, { primed: primed.edges, replicas }),
    Validated: validatedVerdict(validation, spec.objectives.hitRatio),
    Ready: { status: 'True', reason: 'Serving', message: `${serving} of ${replicas} edges serve` },
  };
  const step = channelSteps.find((type) => verdicts[type].status !== 'True');
  if (step !== undefined) verdicts.Ready = { ...verdicts[step], status: 'False' };
  const observedGeneration = metadata.generation ?? 0;
  const seen = channelObserved(channel, placed);
  const steps = channelSteps.reduce<readonly Condition[] | undefined>(
    (all, type) => setCondition(all, { type, ...verdicts[type], observedGeneration }, nowMs),
    before.conditions,
  );
  const conditions = (['HitRatio', 'Stream'] as const).reduce(
    (all, type) => setCondition(all, { type, ...seen.verdicts[type], observedGeneration }, nowMs),
    steps ?? [],
  );
  const [first] = pathways;
  const traffic = sumHits(placed.flatMap(({ edge }) => edge?.status?.traffic ?? []));
  const flushes = placed.map(({ edge }) => edge?.status?.flushed ?? 0);
  const flushed = flushes.length === 0 ? undefined : Math.min(...flushes);
  const failed = placed.find(({ edge }) => edge?.status?.error !== undefined)?.edge?.status?.error;
  return {
    observedGeneration,
    template,
    startedAt,
    step: step ?? 'Ready',
    edges: placed.map(({ node, epoch, state, url }) => ({
      node,
      epoch,
      state,
      ...defined({ url }),
      ...(seen.slow.has(node) && { slow: true }),
    })),
    counts: {
      desired: replicas,
      placed: placed.length,
      serving,
      ready: placed.filter(({ state }) => state === 'Ready').length,
    },
    validationRun: round.run,
    stages: stagesOf({
      before: isNew ? {} : (before.stages ?? {}),
      reached: step === undefined ? channelSteps.length : channelSteps.indexOf(step),
      elapsed: Math.max(0, nowMs - Date.parse(startedAt)) / 1000,
    }),
    primed: primed.sum,
    conditions: [...conditions],
    ...(first !== undefined && { url: `${first.url}/${metadata.name}/~tapline/index.m3u8` }),
    ...defined({ validation, validatedAt, flushed, recent: seen.recent, stream: seen.stream }),
    ...(traffic.requests > 0 && { traffic }),
    ...defined({ storage: mostStored(placed.flatMap(({ edge }) => edge?.status?.storage ?? [])) }),
    ...(failed !== undefined && { error: failed }),
  };
}

/** What the limits of each edge are held against. */
function mostStored(all: readonly EdgeStorage[]): EdgeStorage | undefined {
  if (all.length === 0) return undefined;
  return {
    memoryBytes: Math.max(...all.map(({ memoryBytes }) => memoryBytes)),
    diskBytes: Math.max(...all.map(({ diskBytes }) => diskBytes)),
  };
}

/** Of a channel that cannot be served as it is written. */
export function invalidStatus(
  { metadata, status = {} }: Channel,
  { code, message, hint }: TaplineError,
  nowMs: number,
): ChannelStatus {
  const observedGeneration = metadata.generation ?? 0;
  const ready = { type: 'Ready', status: 'False', reason: 'Invalid', message } as const;
  return {
    ...status,
    observedGeneration,
    step: 'Invalid',
    error: { code, message, ...defined({ hint }) },
    conditions: setCondition(status.conditions, { ...ready, observedGeneration }, nowMs),
  };
}

function segmentVerdict(
  { spec }: Channel,
  { view, placed }: { readonly view: ChannelView; readonly placed: readonly SeenEdge[] },
): Verdict {
  const { segment } = spec;
  if (segment === undefined) {
    return { status: 'True', reason: 'NotAsked', message: 'it is in no segment' };
  }
  if (view.segment === undefined) {
    const message = `segment ${segment} does not exist`;
    return { status: 'False', reason: 'NoSegment', message };
  }
  if (view.segment.status?.state !== 'Ready') {
    const why = findCondition(view.segment.status?.conditions, 'Ready')?.message ?? 'not looked at';
    return { status: 'False', reason: 'SegmentNotReady', message: `segment ${segment}: ${why}` };
  }
  const open = placed.filter(({ attached }) => !attached).map(({ node }) => node);
  return open.length === 0
    ? { status: 'True', reason: 'Stands', message: `segment ${segment} stands on each node` }
    : {
        status: 'False',
        reason: 'NotAttached',
        message: `segment ${segment} does not stand on ${open.join(', ')} yet`,
      };
}

function scheduledVerdict({ workload }: ChannelView): Verdict {
  const found = findCondition(workload?.status?.conditions, 'Scheduled');
  if (found === undefined) return { status: 'False', reason: 'Pending', message: 'not placed yet' };
  const { status, reason, message } = found;
  return { status, reason, message };
}

function cachedVerdict(
  placed: readonly SeenEdge[],
  { serving, replicas }: { readonly serving: number; readonly replicas: number },
): Verdict {
  const message = `${serving} of ${replicas} edges serve`;
  if (serving >= replicas) return { status: 'True', reason: 'Serving', message };
  const error = placed.find(({ edge }) => edge?.status?.error !== undefined)?.edge;
  const why = error?.status?.error;
  return why === undefined
    ? { status: 'False', reason: 'Starting', message }
    : {
        status: 'False',
        reason: 'EdgeFailed',
        message: `${message}; ${error?.spec.node ?? ''}: ${why.message}`,
      };
}

function primedOf(
  { spec }: Channel,
  placed: readonly SeenEdge[],
): { readonly edges: number; readonly sum: NonNullable<ChannelStatus['primed']> } {
  const done = placed.flatMap(({ edge, epoch, there }) => {
    const { status } = edge ?? {};
    const current = there && status?.observedEpoch === epoch ? status.primed : undefined;
    return current !== undefined && current.generation >= spec.prime.generation ? [current] : [];
  });
  const sum = { objects: 0, bytes: 0, failed: 0 };
  for (const { objects, bytes, failed } of done) {
    sum.objects += objects;
    sum.bytes += bytes;
    sum.failed += failed;
  }
  return { edges: done.length, sum };
}

function primedVerdict(
  placed: readonly SeenEdge[],
  { primed, replicas }: { readonly primed: number; readonly replicas: number },
): Verdict {
  const message = `${primed} of ${replicas} edges are primed`;
  if (primed >= replicas) return { status: 'True', reason: 'Primed', message };
  const why = placed.find(({ edge }) => edge?.status?.error !== undefined)?.edge?.status?.error;
  return {
    status: 'False',
    reason: why === undefined ? 'Priming' : 'PrimingFailed',
    message: why === undefined ? message : `${message}; ${why.message}`,
  };
}

function validatedVerdict(validation: EdgeHits | undefined, objective: number): Verdict {
  if (validation === undefined) {
    return { status: 'False', reason: 'Validating', message: 'the load has not ended yet' };
  }
  const { ratio, requests, misses } = validation;
  const { content = 0, health = 0, other = 0 } = misses ?? {};
  const is = `${percent(ratio)} of ${requests} requests were hits`;
  if (ratio >= objective) {
    const message = `${is}, ${percent(objective)} are asked for`;
    return { status: 'True', reason: 'ObjectiveReached', message };
  }
  return {
    status: 'False',
    reason: 'BelowObjective',
    message: `${is}, ${percent(objective)} are asked for; misses: ${content} for content, ${health} for health, ${other} other`,
  };
}

/** Of all edges together, once each has had its load. */
function validationOf(placed: readonly SeenEdge[], run: number): EdgeHits | undefined {
  const results = placed.flatMap(({ edge, epoch }) => {
    const { observedEpoch, validation } = edge?.status ?? {};
    return observedEpoch === epoch && validation?.run === run ? [validation] : [];
  });
  return placed.length === 0 || results.length < placed.length ? undefined : sumHits(results);
}

function sumHits(all: readonly EdgeHits[]): EdgeHits {
  let [requests, hits] = [0, 0];
  const misses = { content: 0, health: 0, other: 0 };
  for (const one of all) {
    requests += one.requests;
    hits += one.hits;
    misses.content += one.misses?.content ?? 0;
    misses.health += one.misses?.health ?? 0;
    misses.other += one.misses?.other ?? 0;
  }
  const ratio = requests === 0 ? 0 : Math.round((hits / requests) * 10_000) / 10_000;
  const known = all.some((one) => one.misses !== undefined);
  return { requests, hits, ratio, ...(known && { misses }) };
}

/** Each stage's time runs from the end of the one before it; it is taken once. */
function stagesOf(about: {
  readonly before: Readonly<Record<string, number>>;
  readonly reached: number;
  readonly elapsed: number;
}): Record<string, number> {
  const stages: Record<string, number> = { ...about.before };
  const names = channelSteps.slice(0, -1).map((type) => type.toLowerCase());
  let spent = 0;
  for (const name of names.slice(0, about.reached)) {
    const taken = stages[name] ?? Math.max(0, toMilliseconds(about.elapsed - spent));
    stages[name] = taken;
    spent += taken;
  }
  if (about.reached >= channelSteps.length) stages['total'] ??= toMilliseconds(spent);
  return stages;
}

function toMilliseconds(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}

function percent(ratio: number): string {
  return `${(ratio * 100).toFixed(1)} %`;
}
