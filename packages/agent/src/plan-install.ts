import type { InstallSpec, StatusError } from '@tapline/resources';
import type { ImageState } from './image-store.ts';
import type { InstallRecord } from './install-record.ts';
import type { InstallStep } from './install-step.ts';

/** A container of the Install, by the revision that it was started for. */
export interface ObservedContainer {
  readonly revision: number;
  readonly status: 'running' | 'stopped';
  /** Undefined where nobody saw it end. */
  readonly exitCode: number | undefined;
}

/** What the device can see of an Install, beside what it remembers. */
export interface ObservedInstall {
  /** Of the image that is wanted: the desired one, or where that is settled the one that is served. */
  readonly image: ImageState;
  /** Of an Install that has ports, or had: the revision that new connections go to. */
  readonly ports?: { readonly revision: number | undefined };
  /** Whether the bytes that the image needs are set aside. */
  readonly reserved: boolean;
  readonly containers: readonly ObservedContainer[];
  /** How long the next restart has to wait. */
  readonly restartInMs: number;
  /** The newest revision that passed its health check in this life of the agent. */
  readonly healthy: number | undefined;
  /** Why the desired revision cannot be had, where that is certain. */
  readonly failure: StatusError | undefined;
}

/**
 * What is left to do, in order, from any state: after each step, or a crash in one, the rest of the
 * plan follows from what is then observed. Nothing to do is an empty plan.
 */
export function planInstall(
  record: InstallRecord,
  observed: ObservedInstall,
): readonly InstallStep[] {
  const { desired, active, failed } = record;
  if (record.removing) {
    const steps = retireAll(observed.containers, { drained: observed.ports !== undefined });
    return [...closePorts(observed), ...steps, { kind: 'forget' }];
  }
  if (failed?.revision === desired.revision || active?.revision === desired.revision) {
    // A loss of power may have taken what was not yet on the disk.
    const lost = active === undefined ? [] : obtain(active, observed);
    return lost.length > 0 ? lost : serve(record, observed);
  }
  if (observed.failure !== undefined) {
    return [
      {
        kind: 'give-up',
        revision: desired.revision,
        error: observed.failure,
        serving: active?.revision,
      },
      ...serve(record, observed),
    ];
  }
  // What is served goes on, and is restarted, until the new image is ready to take over. A pause
  // before its restart does not hold up what may well be its repair.
  if (observed.image.kind !== 'ready') {
    const serving = serve(record, observed);
    const steps = serving.some(({ kind }) => kind === 'wait') ? [] : serving;
    return [...steps, ...obtain(desired, observed)];
  }
  return takeOver(record, observed);
}

/** Keeps running what should run, and nothing else: the plan while anything else is under way. */
export function serve(
  record: InstallRecord,
  observed: Pick<ObservedInstall, 'containers' | 'restartInMs' | 'ports'>,
): readonly InstallStep[] {
  const { active } = record;
  const strays = observed.containers.filter(({ revision }) => revision !== active?.revision);
  // Whoever has no ports of its own may want the very one that a stray has.
  const apart = active?.ports !== undefined;
  const retired = retireAll(strays, { drained: apart && observed.ports !== undefined });
  if (active?.run === undefined || record.finished === active.revision) {
    return [...closePorts(observed), ...retired];
  }
  const own = observed.containers.find(({ revision }) => revision === active.revision);
  const moved: InstallStep[] =
    observed.ports === undefined || observed.ports.revision === active.revision
      ? []
      : [apart ? { kind: 'move-ports', spec: active } : { kind: 'close-ports' }];
  if (own?.status === 'running') return [...moved, ...retired];
  if (own !== undefined && !shouldRestart(active.run.restart, own.exitCode)) {
    return [...retired, { kind: 'finish', revision: active.revision }];
  }
  return [
    ...(apart ? [] : retired),
    ...(observed.restartInMs > 0 ? [{ kind: 'wait', ms: observed.restartInMs } as const] : []),
    { kind: 'restart', spec: active },
    ...(apart ? [...moved, ...retired] : []),
  ];
}

function closePorts({ ports }: Pick<ObservedInstall, 'ports'>): InstallStep[] {
  return ports?.revision === undefined ? [] : [{ kind: 'close-ports' }];
}

function shouldRestart(
  policy: NonNullable<InstallSpec['run']>['restart'],
  exitCode: number | undefined,
): boolean {
  switch (policy) {
    case 'Always':
      return true;
    // An end that nobody saw, such as by a reboot, is no success.
    case 'OnFailure':
      return exitCode !== 0;
    case 'Never':
      return false;
  }
}

function obtain(wanted: InstallSpec, { image: state, reserved }: ObservedInstall): InstallStep[] {
  const { image } = wanted;
  switch (state.kind) {
    case 'unknown':
      return [{ kind: 'fetch-manifest', image }];
    case 'partial':
      return [
        ...(reserved || state.neededBytes === 0
          ? []
          : [{ kind: 'reserve', image, bytes: state.neededBytes } as const]),
        ...(state.missing.length === 0
          ? []
          : [{ kind: 'fetch-layers', image, layers: state.missing } as const]),
        { kind: 'lay-out', image },
      ];
    case 'ready':
      return [];
  }
}

/**
 * The old one ends before the new one starts, as both may want the same port; where the ports are not
 * theirs, they are moved once the new one is healthy, and the old one goes on until then.
 */
function takeOver(record: InstallRecord, observed: ObservedInstall): InstallStep[] {
  const { desired, active } = record;
  const beside =
    desired.ports !== undefined && (active === undefined || active.ports !== undefined);
  const own = observed.containers.find(({ revision }) => revision === desired.revision);
  const others = observed.containers.filter(({ revision }) => revision !== desired.revision);
  const running = others.filter(({ status }) => status === 'running');
  const isMoved = desired.ports === undefined || observed.ports?.revision === desired.revision;
  return [
    ...(desired.ports === undefined ? closePorts(observed) : []),
    ...(beside ? [] : running.map(({ revision }) => ({ kind: 'stop', revision }) as const)),
    ...(desired.run === undefined ? [] : startOnce(desired, own)),
    ...(observed.healthy === desired.revision
      ? []
      : [{ kind: 'check-health', spec: desired } as const]),
    ...(isMoved ? [] : [{ kind: 'move-ports', spec: desired } as const]),
    { kind: 'commit', spec: desired },
    // Beside it others still have connections: what is served is looked after next.
    ...(beside
      ? []
      : others.map(({ revision }) => ({ kind: 'remove-container', revision }) as const)),
  ];
}

function startOnce(spec: InstallSpec, own: ObservedContainer | undefined): InstallStep[] {
  if (own === undefined) return [{ kind: 'start', spec }];
  // An end that nobody saw came from outside, such as by a reboot, and says nothing of the program.
  const lost = own.status === 'stopped' && own.exitCode === undefined;
  return lost
    ? [
        { kind: 'remove-container', revision: own.revision },
        { kind: 'start', spec },
      ]
    : [];
}

function retireAll(
  containers: readonly ObservedContainer[],
  { drained }: { readonly drained: boolean },
): InstallStep[] {
  return containers.flatMap(({ revision, status }) => [
    ...(status === 'running' && drained ? [{ kind: 'drain', revision } as const] : []),
    ...(status === 'running' ? [{ kind: 'stop', revision } as const] : []),
    { kind: 'remove-container', revision } as const,
  ]);
}
