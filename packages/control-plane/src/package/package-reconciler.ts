import { defined, TaplineError } from '@tapline/base';
import {
  type Change,
  createReconciler,
  type Enqueue,
  type EventRecorder,
  type Outcome,
  type Reconciler,
  watch,
  writeStatus,
} from '@tapline/reconcile';
import { type Package, packageResource, type PackageStatus } from '@tapline/resources';
import type { ReconcilerParts } from '../reconciler-parts.ts';
import type { Informers } from '../informers.ts';
import type { StageMetrics } from '../stage-metrics.ts';
import { isPermanent, reasonOf, statusError } from './package-failure.ts';
import type { PackageSource } from './package-source.ts';
import { statusBuilt, statusDuring, statusFailed } from './package-status.ts';
import { resolveAfterAnnotation } from './resolve-after.ts';

export interface PackageReconcilerInit extends ReconcilerParts {
  readonly informers: Pick<Informers, 'packages'>;
  readonly source: PackageSource;
  readonly events: EventRecorder;
  readonly stageMetrics: StageMetrics;
  readonly concurrency: number;
}

/** Builds packages, and builds them again when asked or when a failure may have healed. */
export function createPackageReconciler(init: PackageReconcilerInit): Reconciler {
  const { client, clock, events, informers, source } = init;

  async function reconcile(
    key: string,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<Outcome> {
    const found = informers.packages.get(key);
    return found === undefined || !needsBuild(found) ? { done: true } : await build(found, signal);
  }

  async function build(found: Package, signal: AbortSignal): Promise<Outcome> {
    let object = found;
    let stage: 'resolved' | 'built' | 'published' = 'resolved';
    // The build does not wait for what is said of it; the next write does.
    let telling = Promise.resolve();

    async function write(status: PackageStatus): Promise<void> {
      const written = await writeStatus(client, packageResource, { object, status, signal });
      if (written === undefined) {
        throw new TaplineError(
          'not_found',
          `package ${found.metadata.name} was deleted while it was built`,
        );
      }
      informers.packages.observe(written);
      // The spec that is being built stays the one that this pass began with.
      object = {
        ...written,
        spec: found.spec,
        metadata: { ...written.metadata, ...generationOf(found) },
      };
    }

    const { formula, version, image, platforms } = found.spec;
    try {
      await write(statusDuring(object, stage, clock.now()));
      const built = await source.build({
        formula,
        platforms,
        signal,
        ...defined({ version, image }),
        onStage: (done) => {
          stage = done === 'resolved' ? 'built' : 'published';
          if (done !== 'resolved') return;
          telling = telling.then(() => write(statusDuring(object, 'built', clock.now())));
          telling.catch(() => undefined);
        },
      });
      await telling;
      await write(statusBuilt(object, built, clock.now()));
      init.stageMetrics.packageBuilt(built.stages);
      const [failure] = built.failures;
      const type = failure === undefined ? 'Normal' : 'Warning';
      const message =
        `${formula} ${built.version} for ${built.images.map(({ platform }) => platform).join(', ')}` +
        (failure === undefined ? '' : `; ${failure.error.message}`);
      events.record(object, { type, reason: 'Published', message });
      const healable = built.failures.find(({ error }) => !isPermanent(error));
      if (healable === undefined) return { done: true };
      throw new TaplineError(healable.error.code, healable.error.message);
    } catch (error) {
      if (signal.aborted) throw error;
      await telling.catch(() => undefined);
      const failure = statusError(error);
      if (failure.code === 'not_found') return { done: true };
      if (object.status?.error?.code !== failure.code) {
        events.record(found, {
          type: 'Warning',
          reason: reasonOf(failure.code),
          message: failure.message,
        });
      }
      await write(statusFailed(object, { stage, error: failure }, clock.now()));
      if (isPermanent(failure)) return { done: true };
      throw error;
    }
  }

  return createReconciler({
    name: 'package',
    clock,
    rng: init.rng,
    log: init.log,
    metrics: init.metrics,
    concurrency: init.concurrency,
    baseBackoffMs: 1000,
    maxBackoffMs: 300_000,
    watches: [watch(informers.packages, onPackage)],
    reconcile,
  });
}

/** Our own status writes are no news; otherwise each would end the backoff of a failure. */
function onPackage(change: Change<Package>, enqueue: Enqueue): void {
  const { metadata } = change.object;
  if (change.kind === 'modified') {
    const before = change.previous.metadata;
    const isOurs =
      before.generation === metadata.generation &&
      before.annotations?.[resolveAfterAnnotation] ===
        metadata.annotations?.[resolveAfterAnnotation];
    if (isOurs) return;
  }
  if (change.kind !== 'deleted') enqueue(metadata.name);
}

/** Whether the spec is not built, someone asks for a newer resolution, or a failure may have healed. */
function needsBuild({ metadata, status }: Package): boolean {
  if (metadata.deletionTimestamp !== undefined) return false;
  if (status?.observedGeneration !== metadata.generation) return true;
  if (status?.error !== undefined && !isPermanent(status.error)) return true;
  const asked = Date.parse(metadata.annotations?.[resolveAfterAnnotation] ?? '');
  return asked > Date.parse(status?.resolvedAt ?? '');
}

function generationOf({ metadata: { generation } }: Package): { generation?: number } {
  return generation === undefined ? {} : { generation };
}
