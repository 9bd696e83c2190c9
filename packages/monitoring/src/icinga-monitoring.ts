import type { Clock, Log, Rng } from '@tapline/base';
import { type FollowStatus, StateFollower, watchdogOf } from './events/follow-states.ts';
import type { IcingaEvent } from './events/icinga-event.ts';
import type { StateChange } from './events/object-state.ts';
import type { KnownStates } from './events/reconstruct-states.ts';
import type { IcingaClient } from './icinga/create-icinga-client.ts';
import { ensurePackage } from './registration/ensure-package.ts';
import { HostRegistrar, type RegistrarStatus } from './registration/host-registrar.ts';
import type { MonitoredHost } from './registration/monitored-host.ts';
import type { Placement } from './registration/registration-config.ts';
import type { RegistrationStep } from './registration/registration-step.ts';

export interface IcingaMonitoringInit {
  readonly client: IcingaClient;
  readonly placement: Placement;
  /** Before the names of hosts, so that they differ from those that others made. */
  readonly prefix: string;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
  readonly onChange?: (change: StateChange) => void;
  readonly onStep?: (kind: RegistrationStep['kind']) => void;
  readonly onResult?: () => void;
  /** How often everything in Icinga is compared with what is wanted; 5 min unless given. */
  readonly compareMs?: number;
  readonly canaryMs?: number;
  readonly firstBackoffMs?: number;
  readonly maxBackoffMs?: number;
}

export interface IcingaMonitoringStatus {
  readonly registration: RegistrarStatus;
  readonly following: FollowStatus;
}

/** One Icinga, kept in step with what is wanted, and followed. */
export interface IcingaMonitoring extends AsyncDisposable {
  /** What is to be there under a name, which goes without the prefix; undefined: nothing. */
  set(name: string, host: MonitoredHost | undefined): void;
  status(): IcingaMonitoringStatus;
  /** How every object stands in Icinga, by `host` or `host!service`. */
  readonly states: KnownStates;
  /** Resolves when nothing is to do at the moment. */
  idle(): Promise<void>;
}

/** Starts at once and goes on until disposed, whatever Icinga does; what was made stays in Icinga. */
export function startIcingaMonitoring(init: IcingaMonitoringInit): IcingaMonitoring {
  const { client, placement, prefix, clock, log, compareMs = 300_000 } = init;
  const { instance } = placement;
  const canary = watchdogOf(instance, prefix);
  const registrar = new HostRegistrar(init);
  registrar.set(canary.host, {
    name: canary.host,
    title: `Tapline control plane ${instance}`,
    kind: 'control-plane',
    outcome: { state: 0, output: 'is connected to Icinga' },
    checks: [
      {
        name: canary.service,
        title: 'Reports to Icinga',
        outcome: { state: 0, output: 'is starting' },
        watchdog: true,
      },
    ],
  });
  const stop = new AbortController();
  const follower = new StateFollower({
    ...init,
    instance,
    canary,
    compareMs,
    async prepare(signal) {
      const replaced = await ensurePackage(client, placement, { clock, signal });
      if (replaced) log.info('Icinga has new templates and was reloaded', { instance });
      // Whatever cut the stream may have cost Icinga what it was told.
      await registrar.resynchronise({ forget: true, signal });
    },
    onChange(change) {
      init.onChange?.(change);
      // Somebody else said otherwise while no event came.
      if (change.missed && change.after !== undefined) {
        const { object, after } = change;
        if (registrar.wantedState(object.host, object.service) !== after.state) {
          registrar.retell(object.host, object.service);
        }
      }
    },
    onResult(event) {
      if (isForeign(event, instance)) registrar.retell(event.object.host, event.object.service);
    },
  });
  const comparing = compareRegularly();

  async function compareRegularly(): Promise<void> {
    const { signal } = stop;
    while (!signal.aborted) {
      try {
        await clock.sleep(compareMs, { signal });
        if (follower.status.live) await registrar.resynchronise({ forget: false, signal });
      } catch (error) {
        if (!signal.aborted) log.warn('Icinga was not compared with what is wanted', { error });
      }
    }
  }

  return {
    set(name, host) {
      const full = `${prefix}${name}`;
      registrar.set(full, host === undefined ? undefined : { ...host, name: full });
    },
    status: () => ({ registration: registrar.status(), following: follower.status }),
    get states() {
      return follower.known;
    },
    idle: () => registrar.idle(),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await follower[Symbol.asyncDispose]();
      await comparing;
      await registrar[Symbol.asyncDispose]();
    },
  };
}

/** A result that somebody else, or Icinga itself, has put in place of ours. */
function isForeign(event: IcingaEvent, instance: string): boolean {
  return event.kind === 'result' && event.source !== undefined && event.source !== instance;
}
