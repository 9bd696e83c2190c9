import {
  type Package,
  type PackageStatus,
  setCondition,
  type StatusError,
} from '@tapline/resources';
import { isPermanent, reasonOf } from './package-failure.ts';
import type { BuiltPackage } from './package-source.ts';

const stageConditions = { resolved: 'Resolved', built: 'Built', published: 'Published' } as const;
type StageName = keyof typeof stageConditions;
const order: readonly StageName[] = ['resolved', 'built', 'published'];

const doing = { resolved: 'Resolving', built: 'Building', published: 'Publishing' } as const;

/** The status while `stage` is under way. What was published before stays available. */
export function statusDuring(object: Package, stage: StageName, nowMs: number): PackageStatus {
  const position = order.indexOf(stage);
  const { formula } = object.spec;
  let { conditions } = object.status ?? {};
  for (const [index, name] of order.entries()) {
    if (name === 'published' && isAvailable(object)) continue;
    const type = stageConditions[name];
    const condition =
      index < position
        ? reached(object, name)
        : ({
            type,
            status: 'Unknown',
            reason: doing[stage],
            message: `${doing[stage]} ${formula}`,
          } as const);
    conditions = setCondition(conditions, { ...condition, ...observed(object) }, nowMs);
  }
  return { ...object.status, conditions };
}

/** The status after everything that could be built was published. */
export function statusBuilt(object: Package, built: BuiltPackage, nowMs: number): PackageStatus {
  const { version, repository, digest, images, failures, stages } = built;
  const [failure] = failures;
  let { conditions } = object.status ?? {};
  const missing = failures.map(({ platform, error }) => `${platform} (${error.code})`).join(', ');
  const done = `${object.spec.formula} ${version} for ${images.map(({ platform }) => platform).join(', ')}`;
  for (const name of order) {
    const type = stageConditions[name];
    const reason = failure === undefined ? type : `Partly${type}`;
    const message = failure === undefined ? done : `${done}; not for ${missing}`;
    const condition = { type, status: 'True', reason, message, ...observed(object) } as const;
    conditions = setCondition(conditions, condition, nowMs);
  }
  return {
    ...observed(object),
    version,
    repository,
    digest,
    images: [...images],
    resolvedAt: new Date(nowMs).toISOString(),
    stages,
    ...(failure === undefined ? {} : { error: failure.error }),
    conditions,
  };
}

/**
 * The status after a failure in `stage`. What was published before stays available; otherwise
 * Published is False after a permanent failure and Unknown after one that time may heal.
 */
export function statusFailed(
  object: Package,
  failure: { readonly stage: StageName; readonly error: StatusError },
  nowMs: number,
): PackageStatus {
  const { error } = failure;
  const permanent = isPermanent(error);
  const position = order.indexOf(failure.stage);
  const reason = reasonOf(error.code);
  let { conditions } = object.status ?? {};
  for (const [index, name] of order.entries()) {
    if (name === 'published' && isAvailable(object)) continue;
    const status = permanent || index === position ? 'False' : 'Unknown';
    const type = stageConditions[name];
    const condition =
      index < position
        ? reached(object, name)
        : ({ type, status, reason, message: error.message } as const);
    conditions = setCondition(conditions, { ...condition, ...observed(object) }, nowMs);
  }
  return {
    ...object.status,
    // Without any image, a failure that will be retried says nothing about this generation yet.
    ...(permanent || isAvailable(object) ? observed(object) : {}),
    ...(permanent ? { resolvedAt: new Date(nowMs).toISOString() } : {}),
    error,
    conditions,
  };
}

function reached({ spec }: Package, name: StageName): Parameters<typeof setCondition>[1] {
  const type = stageConditions[name];
  return { type, status: 'True', reason: type, message: `${spec.formula} is ${name}` };
}

function isAvailable({ status }: Package): boolean {
  return (status?.images?.length ?? 0) > 0;
}

function observed({ metadata: { generation } }: Package): { observedGeneration?: number } {
  return generation === undefined ? {} : { observedGeneration: generation };
}
