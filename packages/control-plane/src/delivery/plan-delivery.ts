import {
  type Delivery,
  type DeliveryStatus,
  type Device,
  type Install,
  installName,
  type Package,
  type PinnedImage,
  type StageTimes,
} from '@tapline/resources';
import type { Plan, Waiting } from '@tapline/reconcile';
import { deliveryStatus, type RevisionState } from './delivery-status.ts';
import type { DeliveryStep } from './delivery-step.ts';
import { type DeviceState, deviceState, isMadeBy } from './device-state.ts';
import { nameList } from './name-list.ts';
import { type PackagePlan, planPackage } from './plan-package.ts';
import { planRemovals } from './plan-removals.ts';
import { planWaves } from './plan-waves.ts';
import { strategyOf } from './strategy-of.ts';
import { templateFingerprint } from './template-fingerprint.ts';

/** Everything a delivery's pass looks at. */
export interface DeliveryObservation {
  readonly delivery: Delivery;
  readonly package: Package | undefined;
  /** The devices that the selector matches. */
  readonly devices: readonly Device[];
  /** Installs this delivery made, and whatever is under the name of an Install it would make. */
  readonly installs: readonly Install[];
  /** The older delivery of the same formula that keeps a device, if any. */
  readonly winner: (device: Device) => Delivery | undefined;
  /** Seconds a device's notification took, where it was seen. */
  readonly notifiedSeconds: (install: Install) => number | undefined;
  readonly packageMaxAgeMs: number;
  readonly nowMs: number;
}

/** A delivery's plan, and the status to write with it. */
export interface DeliveryPlan extends Plan<DeliveryStep> {
  readonly revision: number;
  readonly status: DeliveryStatus;
  readonly images: readonly PinnedImage[];
  /** When a deadline makes another pass necessary though nothing changes. */
  readonly requeueAfterMs?: number;
}

/** Decides what a delivery does next; pure. See docs/decisions/0009-rollouts.md. */
export function planDelivery(seen: DeliveryObservation): DeliveryPlan {
  const { delivery, installs, nowMs } = seen;
  const steps: DeliveryStep[] = [];
  const waiting: Waiting[] = [];
  const previous = delivery.status ?? {};
  const template = templateFingerprint(delivery.spec);
  const isCurrent = previous.template === template;
  const paused = delivery.spec.paused === true;
  const byName = new Map(installs.map((install) => [install.metadata.name, install]));

  let revision = revisionOf(seen, isCurrent, template);
  if (!isCurrent && !paused) {
    // Installs may be ahead of the status when a crash came between the two.
    const newest = installs.filter((install) => isMadeBy(install, delivery));
    const last = Math.max(previous.revision ?? 0, ...newest.map(({ spec }) => spec.revision));
    revision = { ...revision, number: last + 1 };
    steps.push({ kind: 'accept-revision', revision: revision.number });
  }

  const wanted = wantedPackage(seen, revision, paused);
  if (wanted !== undefined && !(paused && wanted.kind !== 'usable')) steps.push(...wanted.steps);
  if (wanted?.kind === 'pending') waiting.push(wanted.waiting);
  const pinned = pin(revision, wanted, nowMs);
  if (pinned !== revision && pinned.version !== undefined) {
    const { number, version, images } = pinned;
    steps.push({ kind: 'pin-revision', revision: number, version, images });
  }
  revision = pinned;

  const states = classify(seen, revision, wanted, byName);
  const strategy = strategyOf(delivery.spec);
  const seed = delivery.metadata.uid ?? delivery.metadata.name;
  const waves =
    revision.version === undefined
      ? undefined
      : planWaves(states, { strategy, wave: revision.wave, seed });
  if (paused) {
    waiting.push({ what: `delivery ${delivery.metadata.name}`, why: 'spec.paused is true' });
  } else {
    steps.push(...planRemovals(delivery, states, installs));
    for (const { device, install } of waves?.assign ?? []) {
      const name = installName(device.metadata.name, delivery.spec.package.formula);
      if (install === undefined) steps.push({ kind: 'create-install', name, device });
      else if (isMadeBy(install, delivery) && install.metadata.deletionTimestamp === undefined) {
        steps.push({ kind: 'update-install', install, device });
      } else
        waiting.push({ what: `install ${name}`, why: 'another one of that name has to go first' });
    }
    waiting.push(...(waves?.waiting ?? []));
  }
  waiting.push(...waitingForDevices(states));

  const packageError = wanted?.kind === 'failed' ? wanted.error : undefined;
  if (packageError !== undefined && revision.version === undefined) {
    const why = `${packageError.code}: ${packageError.message}`;
    waiting.push({ what: `package of ${delivery.spec.package.formula}`, why });
  }
  const status = deliveryStatus({
    delivery,
    revision,
    states,
    waves,
    paused,
    packageError,
    packageWaiting: wanted?.kind === 'pending' ? wanted.waiting : undefined,
    packageStages: packageStages(seen, revision),
    stageTimes: readyStages(seen, states),
    assigned: new Set(paused ? [] : (waves?.assign ?? [])),
    nowMs,
  });
  const requeueAfterMs = nextDeadline(states, nowMs);
  return {
    steps,
    waiting,
    status,
    revision: revision.number,
    images: revision.images,
    ...(requeueAfterMs === undefined ? {} : { requeueAfterMs }),
  };
}

function revisionOf(
  seen: DeliveryObservation,
  isCurrent: boolean,
  template: string,
): RevisionState {
  const { delivery, nowMs } = seen;
  const previous = delivery.status ?? {};
  // A paused delivery stays with the revision it has, though its spec asks for another.
  if (isCurrent || (delivery.spec.paused === true && previous.template !== undefined)) {
    return {
      number: previous.revision ?? 0,
      template: previous.template ?? template,
      version: previous.version,
      repository: previous.repository,
      images: previous.images ?? [],
      wave: previous.wave?.current ?? 1,
      acceptedAt: previous.acceptedAt ?? new Date(nowMs).toISOString(),
      history: previous.history ?? [],
    };
  }
  return {
    number: previous.revision ?? 0,
    template: delivery.spec.paused === true ? undefined : template,
    version: undefined,
    repository: undefined,
    images: [],
    wave: 1,
    acceptedAt: new Date(nowMs).toISOString(),
    history: (previous.history ?? []).map((entry) =>
      entry.outcome === 'Progressing' ? { ...entry, outcome: 'Superseded' } : entry,
    ),
  };
}

function wantedPackage(
  seen: DeliveryObservation,
  revision: RevisionState,
  paused: boolean,
): PackagePlan | undefined {
  const { delivery, devices } = seen;
  const platforms = [...new Set(devices.map(({ spec }) => spec.platform))].toSorted();
  const has = (platform: string): boolean =>
    revision.images.some((image) => image.platform === platform);
  if (platforms.length === 0 || paused || platforms.every(has)) return undefined;
  return planPackage({
    delivery,
    package: seen.package,
    platforms,
    acceptedAtMs: Date.parse(revision.acceptedAt),
    maxAgeMs: revision.version === undefined ? seen.packageMaxAgeMs : Infinity,
    nowMs: seen.nowMs,
  });
}

/** The revision with the images it lacked, where the package has them at the same version. */
function pin(
  revision: RevisionState,
  wanted: PackagePlan | undefined,
  nowMs: number,
): RevisionState {
  if (wanted?.kind !== 'usable' || wanted.images.length === 0) return revision;
  const { version, repository } = wanted;
  if (revision.version === undefined) {
    const at = new Date(nowMs).toISOString();
    const entry = { revision: revision.number, version, outcome: 'Progressing', at } as const;
    const history = [entry, ...revision.history].slice(0, 10);
    return { ...revision, version, repository, images: wanted.images, history };
  }
  if (revision.version !== version) return revision;
  const added = wanted.images.filter(
    ({ platform }) => !revision.images.some((image) => image.platform === platform),
  );
  return added.length === 0 ? revision : { ...revision, images: [...revision.images, ...added] };
}

function classify(
  seen: DeliveryObservation,
  revision: RevisionState,
  wanted: PackagePlan | undefined,
  byName: ReadonlyMap<string, Install>,
): DeviceState[] {
  const { delivery, devices, nowMs, winner } = seen;
  const { formula } = delivery.spec.package;
  const there = new Set(revision.images.map(({ platform }) => platform));
  const missing = wanted?.kind === 'pending' ? 'pending' : 'missing';
  const isPinned = revision.version !== undefined;
  const packageError =
    wanted?.kind === 'usable' || wanted?.kind === 'failed' ? wanted.error : undefined;
  const progressDeadlineMs = strategyOf(delivery.spec).progressDeadlineSeconds * 1000;
  return devices.map((device) =>
    deviceState(device, byName.get(installName(device.metadata.name, formula)), {
      delivery,
      revision: revision.number,
      image: (platform) => (there.has(platform) ? 'there' : isPinned ? missing : 'pending'),
      packageError,
      winner,
      progressDeadlineMs,
      nowMs,
    }),
  );
}

/** What each group of devices is waited for, or why they failed. */
function waitingForDevices(states: readonly DeviceState[]): Waiting[] {
  const groups = new Map<string, { names: string[]; why: string }>();
  function add(key: string, device: Device, why: string): void {
    const group = groups.get(key) ?? { names: [], why };
    group.names.push(device.metadata.name);
    groups.set(key, group);
  }
  for (const { device, assigned, install, progress } of states) {
    if (progress.kind === 'failed') {
      const { error } = progress;
      add(`failed ${error.code}`, device, `${error.code}: ${error.message}`);
    } else if (progress.kind === 'offline') {
      add('offline', device, 'offline; they converge when they return');
    } else if (progress.kind === 'updating' && assigned) {
      const state = install?.status?.state ?? 'Pending';
      add(`updating ${state}`, device, `the device reports ${state}`);
    }
  }
  return [...groups.values()].map(({ names, why }) => ({
    what: `${names.length === 1 ? 'device' : `${names.length} devices`} ${nameList(names)}`,
    why,
  }));
}

/** Stages that this revision waited for; a package that was there before it cost nothing. */
function packageStages(seen: DeliveryObservation, revision: RevisionState): StageTimes | undefined {
  if (revision.version === undefined) return undefined;
  if (
    seen.delivery.status?.version !== undefined &&
    seen.delivery.status.revision === revision.number
  ) {
    return seen.delivery.status.packageStages;
  }
  const resolvedAt = Date.parse(seen.package?.status?.resolvedAt ?? '');
  return resolvedAt >= Date.parse(revision.acceptedAt) ? seen.package?.status?.stages : {};
}

function readyStages(seen: DeliveryObservation, states: readonly DeviceState[]): StageTimes[] {
  return states.flatMap(({ install, progress }) => {
    const stages = progress.kind === 'ready' ? install?.status?.stages : undefined;
    if (install === undefined || stages === undefined) return [];
    const notified = seen.notifiedSeconds(install);
    if (notified === undefined) return [stages];
    const { total } = stages;
    return [{ ...stages, notified, ...(total === undefined ? {} : { total: total + notified }) }];
  });
}

function nextDeadline(states: readonly DeviceState[], nowMs: number): number | undefined {
  const due = states.flatMap(({ device, leftLately, progress }) => {
    if (progress.kind === 'updating') return [progress.deadlineMs];
    return leftLately ? [Date.parse(device.status?.presence?.since ?? '') + 10_000] : [];
  });
  return due.length === 0 ? undefined : Math.max(1, Math.min(...due) - nowMs);
}
