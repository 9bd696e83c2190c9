import {
  type Delivery,
  findCondition,
  type Package,
  type PinnedImage,
  type StatusError,
} from '@tapline/resources';
import type { Waiting } from '@tapline/reconcile';
import { isPermanent } from '../package/package-failure.ts';
import { packageName } from '../package/package-name.ts';
import { resolveAfterAnnotation } from '../package/resolve-after.ts';
import type { DeliveryStep } from './delivery-step.ts';

/** Whether a revision can be pinned to what the package has, and what it takes otherwise. */
export type PackagePlan =
  | {
      readonly kind: 'usable';
      readonly version: string;
      readonly repository: string;
      readonly images: readonly PinnedImage[];
      readonly steps: readonly DeliveryStep[];
      readonly error: StatusError | undefined;
    }
  | { readonly kind: 'pending'; readonly steps: readonly DeliveryStep[]; readonly waiting: Waiting }
  | {
      readonly kind: 'failed';
      readonly steps: readonly DeliveryStep[];
      readonly error: StatusError;
    };

export interface PackagePlanInit {
  readonly delivery: Delivery;
  readonly package: Package | undefined;
  /** Platforms of the selected devices, at least one. */
  readonly platforms: readonly string[];
  readonly acceptedAtMs: number;
  /** An unversioned package resolved longer before the rollout than this is resolved again. */
  readonly maxAgeMs: number;
  readonly nowMs: number;
}

/** Plans what a delivery needs of its package before a revision can be pinned. */
export function planPackage(init: PackagePlanInit): PackagePlan {
  const { delivery, package: found, platforms } = init;
  const { formula, version, image } = delivery.spec.package;
  const name = packageName(formula, version, image);
  const what = `package ${name}`;
  if (found === undefined) {
    const steps = [{ kind: 'create-package', name, formula, version, image, platforms }] as const;
    return { kind: 'pending', steps, waiting: { what, why: 'it is being created' } };
  }
  if (
    found.spec.formula !== formula ||
    found.spec.version !== version ||
    found.spec.image !== image
  ) {
    const message =
      `package ${name} is of ${found.spec.formula} ${found.spec.version ?? '(any version)'}, ` +
      `not of ${formula} ${version ?? '(any version)'}`;
    return { kind: 'failed', steps: [], error: { code: 'package_name_taken', message } };
  }
  const missing = platforms.filter((platform) => !found.spec.platforms.includes(platform));
  if (missing.length > 0) {
    const steps = [{ kind: 'widen-package', name, platforms: missing }] as const;
    const why = `it is not built for ${missing.join(', ')} yet`;
    return { kind: 'pending', steps, waiting: { what, why } };
  }
  const { status } = found;
  const published = findCondition(status?.conditions, 'Published');
  const images = status?.images ?? [];
  if (
    status === undefined ||
    published === undefined ||
    status.observedGeneration !== found.metadata.generation
  ) {
    return { kind: 'pending', steps: [], waiting: waitingFor(found, 'it is not built yet') };
  }
  if (published.status !== 'True' || status.version === undefined || images.length === 0) {
    if (published.status === 'Unknown' || status.error === undefined) {
      return { kind: 'pending', steps: [], waiting: waitingFor(found, published.message) };
    }
    // An attempt from before the rollout says nothing about now.
    if (!(Date.parse(status.resolvedAt ?? '') < init.acceptedAtMs)) {
      return { kind: 'failed', steps: [], error: status.error };
    }
    const why = `it failed before with ${status.error.code}`;
    return { kind: 'pending', steps: refresh(found, init.nowMs), waiting: { what, why } };
  }
  // Whoever pushed to a tag and rolls out means what is there now.
  const maxAgeMs = image !== undefined && init.maxAgeMs !== Infinity ? 0 : init.maxAgeMs;
  const freshEnough = Date.parse(status.resolvedAt ?? '') >= init.acceptedAtMs - maxAgeMs;
  // Without Homebrew a fleet still gets what the registry has.
  const unreachable = status.error?.code === 'homebrew_unreachable';
  if (version === undefined && !freshEnough && !unreachable) {
    const why = `it was last resolved at ${status.resolvedAt ?? 'no known time'}`;
    return { kind: 'pending', steps: refresh(found, init.nowMs), waiting: { what, why } };
  }
  return {
    kind: 'usable',
    version: status.version,
    repository: status.repository ?? formula,
    images: images
      .filter(({ platform }) => platforms.includes(platform))
      .map(({ platform, digest, sizeBytes, unpackedBytes, main }) => ({
        platform,
        digest,
        sizeBytes,
        unpackedBytes,
        ...(main === undefined ? {} : { main }),
      })),
    steps: [],
    error: status.error,
  };
}

/** Asks for a newer resolution, unless that has been asked for already. */
function refresh({ metadata, status }: Package, nowMs: number): readonly DeliveryStep[] {
  const asked = Date.parse(metadata.annotations?.[resolveAfterAnnotation] ?? '');
  if (asked > Date.parse(status?.resolvedAt ?? '')) return [];
  return [{ kind: 'refresh-package', name: metadata.name, after: new Date(nowMs).toISOString() }];
}

function waitingFor(found: Package, fallback: string): Waiting {
  const condition = ['Resolved', 'Built', 'Published']
    .map((type) => findCondition(found.status?.conditions, type))
    .find((candidate) => candidate !== undefined && candidate.status !== 'True');
  const { error } = found.status ?? {};
  const retried = error === undefined || isPermanent(error) ? undefined : error;
  return {
    what: `package ${found.metadata.name}`,
    // What is tried again is said with why the last try failed.
    why: retried?.message ?? condition?.message ?? fallback,
    ...(condition === undefined ? {} : { since: condition.lastTransitionTime }),
  };
}
