import type { Delivery, Device, Install, StatusError } from '@tapline/resources';

/** Annotation of an Install: when its revision was written, RFC 3339 with milliseconds. */
export const assignedAtAnnotation = 'tapline.dev/assigned-at';

/** How long a device that went offline is expected back: reconnections after a restart take less. */
export const lateMs = 10_000;

/** Where one selected device stands with the newest revision. */
export interface DeviceState {
  readonly device: Device;
  readonly connected: boolean;
  /** Whether it went offline so recently that it may be back at once. */
  readonly leftLately: boolean;
  /** What is on record under the name of its Install, whoever made it. */
  readonly install: Install | undefined;
  /** Whether the revision has an image for the device. */
  readonly deliverable: boolean;
  /** Whether the delivery's Install carries this revision. */
  readonly assigned: boolean;
  readonly progress:
    | { readonly kind: 'ready' }
    /** `spent`: whether it counts against the error budget. */
    | { readonly kind: 'failed'; readonly error: StatusError; readonly spent: boolean }
    | { readonly kind: 'updating'; readonly deadlineMs: number }
    | { readonly kind: 'offline' }
    /** Not its turn yet, or no revision is pinned. */
    | { readonly kind: 'waiting' };
}

/** What classifying needs to know of the delivery. */
export interface DeviceStateContext {
  readonly delivery: Delivery;
  readonly revision: number;
  /** Whether the revision has an image for a platform, may get one, or never will. */
  readonly image: (platform: string) => 'there' | 'pending' | 'missing';
  /** Why a platform has no image, where the package knows. */
  readonly packageError: StatusError | undefined;
  /** Older deliveries of the same formula, by what they select. */
  readonly winner: (device: Device) => Delivery | undefined;
  readonly progressDeadlineMs: number;
  readonly nowMs: number;
}

/** Says where a device stands; pure. */
export function deviceState(
  device: Device,
  install: Install | undefined,
  context: DeviceStateContext,
): DeviceState {
  const { delivery, revision } = context;
  const connected = device.status?.presence?.connected ?? false;
  const mine = install !== undefined && isMadeBy(install, delivery);
  const assigned =
    mine && install.spec.revision === revision && install.metadata.deletionTimestamp === undefined;
  const leftMs = Date.parse(device.status?.presence?.since ?? '');
  const leftLately = !connected && context.nowMs - leftMs < lateMs;
  const image = context.image(device.spec.platform);
  const base = {
    device,
    connected,
    leftLately,
    install,
    assigned,
    deliverable: image === 'there',
  };
  const winner = context.winner(device);
  if (winner !== undefined) {
    const error = conflictError(device, delivery, winner);
    return { ...base, progress: { kind: 'failed', error, spent: false } };
  }
  if (image === 'missing') {
    const error = noImageError(device, delivery, context.packageError);
    return { ...base, progress: { kind: 'failed', error, spent: false } };
  }
  if (delivery.spec.segment !== undefined && device.spec.role !== 'node') {
    const error = noNodeError(device, delivery.spec.segment.name);
    return { ...base, deliverable: false, progress: { kind: 'failed', error, spent: false } };
  }
  if (!assigned) return { ...base, progress: { kind: connected ? 'waiting' : 'offline' } };
  const { status } = install;
  if (status?.observedRevision === revision) {
    if (status.state === 'Ready') return { ...base, progress: { kind: 'ready' } };
    if (status.state === 'Failed' || status.state === 'RolledBack') {
      const error = status.error ?? {
        code: 'install_failed',
        message: `device ${device.metadata.name} reports ${status.state} without an error`,
      };
      return { ...base, progress: { kind: 'failed', error, spent: true } };
    }
  }
  if (!connected) return { ...base, progress: { kind: 'offline' } };
  const deadlineMs = startedMs(device, install) + context.progressDeadlineMs;
  if (context.nowMs < deadlineMs) return { ...base, progress: { kind: 'updating', deadlineMs } };
  const error = {
    code: 'progress_deadline_exceeded',
    message:
      `device ${device.metadata.name} is connected but not ready after ` +
      `${context.progressDeadlineMs / 1000} s (state ${status?.state ?? 'unknown'})`,
  };
  return { ...base, progress: { kind: 'failed', error, spent: true } };
}

/** Whether this very delivery made the Install, not an earlier one of the same name. */
export function isMadeBy(install: Install, delivery: Delivery): boolean {
  return (
    install.spec.delivery === delivery.metadata.name &&
    (install.metadata.ownerReferences ?? []).some(({ uid }) => uid === delivery.metadata.uid)
  );
}

/** When the device could begin: when it was told, or when it came back after that. */
function startedMs(device: Device, install: Install): number {
  const { annotations, creationTimestamp } = install.metadata;
  const assigned = Date.parse(annotations?.[assignedAtAnnotation] ?? creationTimestamp ?? '');
  const since = Date.parse(device.status?.presence?.since ?? '');
  return Math.max(Number.isNaN(assigned) ? 0 : assigned, Number.isNaN(since) ? 0 : since);
}

function conflictError(device: Device, loser: Delivery, winner: Delivery): StatusError {
  const { formula } = loser.spec.package;
  return {
    code: 'install_conflict',
    message:
      `deliveries ${winner.metadata.name} and ${loser.metadata.name} both want ${formula} on ` +
      `device ${device.metadata.name}; the older one, ${winner.metadata.name}, keeps it`,
    hint: `change the selector of one of them or delete one`,
  };
}

function noNodeError({ metadata: { name } }: Device, segment: string): StatusError {
  return {
    code: 'device_no_node',
    message: `device ${name} is no node, so nothing on it can be in segment ${segment}`,
    hint: 'select nodes only, or let it join with a token of role node',
  };
}

function noImageError(
  device: Device,
  delivery: Delivery,
  packageError: StatusError | undefined,
): StatusError {
  const why = packageError === undefined ? '' : `: ${packageError.message}`;
  return {
    code: 'no_image_for_platform',
    message:
      `${delivery.spec.package.formula} has no image for ${device.spec.platform}, the platform ` +
      `of device ${device.metadata.name}${why}`,
    hint: 'raise spec.rollout to resolve the package again, or leave the device out',
  };
}
