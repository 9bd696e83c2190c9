import {
  backoffMs,
  type Clock,
  errorMessage,
  type Log,
  type Rng,
  TaplineError,
} from '@tapline/base';
import { parseManifest } from '@tapline/oci';
import { isReferrersTag } from '../client/referrers-tag.ts';
import type { RegistryClient } from '../client/registry-client.ts';
import { type ByteLimiter, createByteLimiter } from '../copy/byte-limiter.ts';
import { copyImage, type CopyProgress } from '../copy/copy-image.ts';
import { deleteTag as deleteTagThere } from './delete-tag.ts';
import { globPatterns } from './glob-pattern.ts';
import { imageLabels } from './image-labels.ts';
import { repositoriesOf, tagsOf } from './list-source.ts';
import { MountSources } from './mount-sources.ts';
import {
  type PolicyBacklog,
  ReplicationBacklog,
  type ReplicationTask,
} from './replication-backlog.ts';
import type { ReplicationPolicy } from './replication-policy.ts';

export interface ReplicatorInit {
  readonly policies: readonly (ReplicationPolicy & {
    /** The other registry. */
    readonly remote: RegistryClient;
  })[];
  /** The registry that this is about. */
  readonly local: RegistryClient;
  /** For the backlog. */
  readonly directory: string;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
  /** Images under way at once; 4 unless given. */
  readonly concurrency?: number;
  readonly onEvent?: (event: ReplicationEvent) => Promise<void> | void;
}

/** What came of one task. */
export interface ReplicationEvent {
  readonly policy: string;
  readonly kind: ReplicationTask['kind'];
  readonly outcome: 'done' | 'skipped' | 'failed';
  readonly repository: string;
  readonly reference: string;
  readonly uploadedBytes: number;
  readonly seconds: number;
  readonly error?: unknown;
}

/** How far a policy is. */
export interface ReplicationStatus extends PolicyBacklog {
  readonly policy: ReplicationPolicy;
  readonly active: readonly (CopyProgress & {
    readonly repository: string;
    readonly reference: string;
  })[];
}

/** A change of the local registry. */
export interface LocalChange {
  readonly kind: 'pushed' | 'deleted';
  readonly repository: string;
  /** A tag or a digest. */
  readonly reference: string;
}

/** Copies images to and from other registries as policies say, until it is disposed. */
export interface Replicator extends AsyncDisposable {
  /** Takes up what follows from a change; durable when it returns. */
  changed(change: LocalChange): void;
  /** Looks through the source of a policy now; answers how many tasks there are. */
  runRound(policy: string, options?: { readonly signal?: AbortSignal }): Promise<number>;
  status(): readonly ReplicationStatus[];
}

type Policy = ReplicatorInit['policies'][number];

const firstRetryMs = 1000;
const maxRetryMs = 10 * 60_000;
const longestSleepMs = 60_000;

export function startReplicator(init: ReplicatorInit): Replicator {
  const { clock, local, log, rng } = init;
  const backlog = new ReplicationBacklog(init.directory);
  const policies = new Map(init.policies.map((policy) => [policy.name, prepare(policy, clock)]));
  const mounts = new MountSources();
  const stop = new AbortController();
  const active = new Map<number, { readonly task: ReplicationTask; progress: CopyProgress }>();
  let wake = Promise.withResolvers<void>();

  function sides({ direction, remote }: Policy): {
    source: RegistryClient;
    destination: RegistryClient;
  } {
    return direction === 'push'
      ? { source: local, destination: remote }
      : { source: remote, destination: local };
  }

  async function carryOut(
    task: ReplicationTask,
  ): Promise<Pick<ReplicationEvent, 'outcome' | 'uploadedBytes'>> {
    const policy = policies.get(task.policy);
    // The policy was taken away since.
    if (policy === undefined) return { outcome: 'skipped', uploadedBytes: 0 };
    switch (task.kind) {
      case 'copy':
        return await copyTag(policy, task);
      case 'referrer':
        return await copyReferrer(policy, task);
      case 'delete':
        return await deleteTag(policy, task);
    }
  }

  async function copyTag(
    policy: PreparedPolicy,
    task: ReplicationTask,
  ): Promise<Pick<ReplicationEvent, 'outcome' | 'uploadedBytes'>> {
    const { signal } = stop;
    const { repository, reference } = task;
    const { source } = sides(policy);
    const found = await source.resolve(repository, reference, { signal });
    if (found === undefined) return await deleteTag(policy, task);
    if (!(await hasLabels(policy, task))) return { outcome: 'skipped', uploadedBytes: 0 };
    const uploadedBytes = await copy(policy, task, reference);
    backlog.copied(policy.name, repository, reference, found.digest);
    return { outcome: 'done', uploadedBytes };
  }

  /** What was pushed by digest: of interest where it refers to something that is at the destination. */
  async function copyReferrer(
    policy: PreparedPolicy,
    task: ReplicationTask,
  ): Promise<Pick<ReplicationEvent, 'outcome' | 'uploadedBytes'>> {
    const { signal } = stop;
    const { repository, reference } = task;
    const { source, destination } = sides(policy);
    const skipped = { outcome: 'skipped', uploadedBytes: 0 } as const;
    if ((await source.resolve(repository, reference, { signal })) === undefined) return skipped;
    const { bytes } = await source.manifest(repository, reference, { signal });
    const parsed = parseManifest(bytes);
    const { subject } = parsed.kind === 'manifest' ? parsed.manifest : parsed.index;
    const target = `${policy.prefix}${repository}`;
    if (subject === undefined) return skipped;
    if ((await destination.resolve(target, subject.digest, { signal })) === undefined)
      return skipped;
    return { outcome: 'done', uploadedBytes: await copy(policy, task, undefined) };
  }

  async function copy(
    policy: PreparedPolicy,
    task: ReplicationTask,
    tag: string | undefined,
  ): Promise<number> {
    const { source, destination } = sides(policy);
    const { repository, reference } = task;
    const target = `${policy.prefix}${repository}`;
    const place = `${policy.direction} ${policy.name}`;
    const copied = await copyImage(source, destination, {
      from: { repository, reference },
      to: { repository: target, tag },
      platforms: tag === undefined ? undefined : policy.platforms,
      referrers: policy.referrers,
      mountFrom: (blob) => mounts.find(place, blob, target),
      limiter: policy.limiter,
      onProgress(progress) {
        const one = active.get(task.id);
        if (one !== undefined) one.progress = progress;
      },
      signal: stop.signal,
    });
    for (const blob of [...copied.present, ...copied.mounted, ...copied.uploaded]) {
      mounts.add(place, blob, target);
    }
    return copied.uploadedBytes;
  }

  async function hasLabels(policy: Policy, task: ReplicationTask): Promise<boolean> {
    const wanted = Object.entries(policy.labels ?? {});
    if (wanted.length === 0) return true;
    const labels = await imageLabels(sides(policy).source, task, { signal: stop.signal });
    return wanted.every(([name, value]) => labels[name] === value);
  }

  /** Only what was copied by this policy: what else is there is not its business. */
  async function deleteTag(
    policy: PreparedPolicy,
    { repository, reference }: ReplicationTask,
  ): Promise<Pick<ReplicationEvent, 'outcome' | 'uploadedBytes'>> {
    const skipped = { outcome: 'skipped', uploadedBytes: 0 } as const;
    if (!policy.deletion || !backlog.isCopied(policy.name, repository, reference)) return skipped;
    const { destination } = sides(policy);
    const target = `${policy.prefix}${repository}`;
    await deleteTagThere(destination, { repository: target, tag: reference, signal: stop.signal });
    backlog.deleted(policy.name, repository, reference);
    return { outcome: 'done', uploadedBytes: 0 };
  }

  async function work(): Promise<void> {
    while (!stop.signal.aborted) {
      const woken = wake.promise;
      const task = backlog.take(clock.now());
      if (task !== undefined) {
        await attempt(task);
        continue;
      }
      const dueInMs = (backlog.nextDueMs() ?? Number.POSITIVE_INFINITY) - clock.now();
      await sleepOr(woken, Math.max(1, Math.min(dueInMs, longestSleepMs)));
    }
  }

  async function attempt(task: ReplicationTask): Promise<void> {
    const startMs = clock.monotonic();
    const { policy, kind, repository, reference } = task;
    const nothing = { doneBytes: 0, totalBytes: 0, doneBlobs: 0, totalBlobs: 0 };
    active.set(task.id, { task, progress: nothing });
    const base = { policy, kind, repository, reference };
    const seconds = (): number => (clock.monotonic() - startMs) / 1000;
    try {
      const outcome = await carryOut(task);
      await init.onEvent?.({ ...base, ...outcome, seconds: seconds() });
      backlog.finish(task, clock.now());
    } catch (error) {
      if (stop.signal.aborted) return;
      const waitMs = backoffMs(task.attempts, { baseMs: firstRetryMs, maxMs: maxRetryMs, rng });
      backlog.retry(task, { error: errorMessage(error), dueMs: clock.now() + waitMs });
      log.warn('replication: not done yet', { ...base, attempts: task.attempts + 1, error });
      await init.onEvent?.({
        ...base,
        outcome: 'failed',
        uploadedBytes: 0,
        seconds: seconds(),
        error,
      });
    } finally {
      active.delete(task.id);
    }
  }

  async function runRound(
    name: string,
    { signal = stop.signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<number> {
    const policy = policies.get(name);
    if (policy === undefined) {
      throw new TaplineError('not_found', `there is no replication policy ${name}`);
    }
    const { source } = sides(policy);
    const startedMs = clock.now();
    let count = 0;
    const seen = new Set<string>();
    for (const repository of await repositoriesOf(policy, source, signal)) {
      const tags = (await tagsOf(source, repository, signal)).filter((tag) => policy.fitsTag(tag));
      for (const tag of tags) seen.add(`${repository}:${tag}`);
      const tasks = tags.map(
        (reference) => ({ policy: name, kind: 'copy', repository, reference }) as const,
      );
      backlog.add(tasks, clock.now());
      count += tasks.length;
      notify();
    }
    if (policy.deletion) {
      const gone = backlog
        .copiedTags(name)
        .filter(({ repository, tag }) => !seen.has(`${repository}:${tag}`))
        .map(
          ({ repository, tag }) =>
            ({ policy: name, kind: 'delete', repository, reference: tag }) as const,
        );
      backlog.add(gone, clock.now());
      count += gone.length;
      notify();
    }
    backlog.roundStarted(name, startedMs);
    return count;
  }

  /** Rounds at their times, also those that were missed while the process was not there. */
  async function schedule(policy: PreparedPolicy, everyMs: number): Promise<void> {
    let failures = 0;
    while (!stop.signal.aborted) {
      const last = backlog.lastRoundMs(policy.name);
      let waitMs = last === undefined ? 0 : last + everyMs - clock.now();
      if (failures > 0) {
        const retryMs = backoffMs(failures - 1, { baseMs: firstRetryMs, maxMs: maxRetryMs, rng });
        waitMs = Math.max(waitMs, retryMs);
      }
      if (waitMs > 0) await sleepOr(new Promise(() => undefined), Math.min(waitMs, longestSleepMs));
      if (waitMs > longestSleepMs || stop.signal.aborted) continue;
      try {
        await runRound(policy.name);
        failures = 0;
      } catch (error) {
        if (stop.signal.aborted) return;
        failures += 1;
        log.warn('replication: a round could not begin', { policy: policy.name, error });
      }
    }
  }

  async function sleepOr(woken: Promise<void>, ms: number): Promise<void> {
    const rested = new AbortController();
    const signal = AbortSignal.any([stop.signal, rested.signal]);
    const slept = clock.sleep(ms, { signal }).catch(() => undefined);
    await Promise.race([woken, slept]);
    rested.abort();
  }

  function notify(): void {
    wake.resolve();
    wake = Promise.withResolvers();
  }

  const workers = Array.from({ length: init.concurrency ?? 4 }, () => work());
  const schedules = [...policies.values()].flatMap((policy) =>
    policy.everyMs === undefined ? [] : [schedule(policy, policy.everyMs)],
  );
  return {
    changed({ kind, repository, reference }) {
      const isDigest = reference.includes(':');
      const tasks = [...policies.values()]
        .filter(({ direction, onPush }) => direction === 'push' && onPush)
        .filter(({ fitsRepository }) => fitsRepository(repository))
        .flatMap((policy): Omit<ReplicationTask, 'id' | 'attempts'>[] => {
          const base = { policy: policy.name, repository, reference };
          if (isDigest) {
            if (kind === 'pushed') return policy.referrers ? [{ ...base, kind: 'referrer' }] : [];
            // Its tags went with it, where nobody has moved them since: the copying will tell.
            return backlog
              .copiedAs(policy.name, repository, reference)
              .map((tag) => ({ ...base, reference: tag, kind: 'copy' }));
          }
          if (!policy.fitsTag(reference)) return [];
          return [{ ...base, kind: kind === 'pushed' ? 'copy' : 'delete' }];
        });
      backlog.add(tasks, clock.now());
      if (tasks.length > 0) notify();
    },
    runRound,
    status: () =>
      [...policies.values()].map((policy) => ({
        policy,
        ...backlog.summary(policy.name),
        active: [...active.values()]
          .filter(({ task }) => task.policy === policy.name)
          .map(({ task, progress }) => ({
            ...progress,
            repository: task.repository,
            reference: task.reference,
          })),
      })),
    async [Symbol.asyncDispose]() {
      stop.abort(new TaplineError('stopped', 'replication is stopping'));
      await Promise.all([...workers, ...schedules]);
      backlog[Symbol.dispose]();
    },
  };
}

interface PreparedPolicy extends Policy {
  readonly fitsRepository: (repository: string) => boolean;
  readonly fitsTag: (tag: string) => boolean;
  readonly limiter: ByteLimiter | undefined;
}

function prepare(policy: Policy, clock: Clock): PreparedPolicy {
  const fitsTag = globPatterns(policy.tags);
  return {
    ...policy,
    fitsRepository: globPatterns(policy.repositories),
    // Those belong to the digest in them; copying that one makes them.
    fitsTag: (tag) => !isReferrersTag(tag) && fitsTag(tag),
    limiter:
      policy.bytesPerSecond === undefined
        ? undefined
        : createByteLimiter(policy.bytesPerSecond, clock),
  };
}
