import {
  canonicalJson,
  type Clock,
  errorMessage,
  isTaplineError,
  type Log,
  type Rng,
} from '@tapline/base';
import { type Outcome, WorkQueue } from '@tapline/reconcile';
import type { IcingaClient } from '../icinga/create-icinga-client.ts';
import { parseIcingaName } from '../icinga/icinga-name.ts';
import type { IcingaState, ProcessCheckResult } from '../icinga/icinga-objects.ts';
import { applyStep } from './apply-step.ts';
import { executeStep } from './execute-step.ts';
import type { MonitoredHost } from './monitored-host.ts';
import { observeHost, observeInstance } from './observe-hosts.ts';
import type { ObservedHost } from './observed-host.ts';
import { planHost } from './plan-host.ts';
import { checkResult } from './registration-bodies.ts';
import type { Placement } from './registration-config.ts';
import type { RegistrationStep } from './registration-step.ts';

export interface RegistrarInit {
  readonly client: IcingaClient;
  readonly placement: Placement;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
  /** Hosts at the same time; 4 unless given: more only wait inside Icinga. */
  readonly concurrency?: number;
  readonly onStep?: (kind: RegistrationStep['kind']) => void;
  readonly onResult?: () => void;
}

export interface RegistrarStatus {
  readonly wanted: number;
  /** Of those wanted, how many Icinga has. */
  readonly registered: number;
  /** Hosts with something to do. */
  readonly waiting: number;
  /** Why hosts are not as wanted, by name; at most a hundred. */
  readonly problems: Readonly<Record<string, string>>;
}

const maxProblems = 100;
const maxRounds = 3;
/** How long a satellite may take until it has what its master was given. */
const satelliteMs = 15_000;

/**
 * Keeps hosts of Icinga as they are wanted, and tells it how they stand. Every host is looked at by
 * itself and from what there is, so nothing is lost by an error, a restart or a change meanwhile.
 * Nothing is done before the first `resynchronise`.
 */
export class HostRegistrar implements AsyncDisposable {
  readonly #init: RegistrarInit;
  readonly #queue: WorkQueue;
  readonly #wanted = new Map<string, MonitoredHost>();
  readonly #there = new Map<string, ObservedHost>();
  /** What was told last of each host, by check; the host's own is at ''. */
  readonly #told = new Map<string, Map<string, string>>();
  readonly #problems = new Map<string, string>();

  /**
   * Until when hosts were made in a zone just now: satellites may not have them yet, and drop results of
   * what they do not have. Then all is told once more.
   */
  readonly #untold = new Map<string, number>();

  constructor(init: RegistrarInit) {
    this.#init = init;
    this.#queue = new WorkQueue({
      clock: init.clock,
      rng: init.rng,
      concurrency: init.concurrency ?? 4,
      baseBackoffMs: 500,
      maxBackoffMs: 60_000,
      paused: true,
      run: (name, { signal }) => this.#run(name, signal),
      onError: (name, error, retryAfterMs) => {
        this.#problems.set(name, errorMessage(error));
        // That Icinga is away is said once, by who follows its events.
        const level = isTaplineError(error, 'icinga_unreachable') ? 'debug' : 'warn';
        init.log[level]('host is not as wanted in Icinga', { host: name, error, retryAfterMs });
      },
    });
  }

  /** What is to be there of a host; undefined: nothing. */
  set(name: string, host: MonitoredHost | undefined): void {
    if (host === undefined) this.#wanted.delete(name);
    else if (canonicalJson(host) === canonicalJson(this.#wanted.get(name))) return;
    else this.#wanted.set(name, host);
    this.#queue.add(name);
  }

  /** The state that Icinga is to have of a check, or of the host itself. */
  wantedState(name: string, check: string | undefined): IcingaState | undefined {
    const wanted = this.#wanted.get(name);
    if (check === undefined) return wanted?.outcome.state;
    return wanted?.checks.find((one) => one.name === check)?.outcome.state;
  }

  /** Looks at everything that Icinga has and mends it; with `forget` tells every outcome anew. */
  async resynchronise({
    forget,
    signal,
  }: {
    readonly forget: boolean;
    readonly signal: AbortSignal;
  }): Promise<void> {
    const { client, placement } = this.#init;
    const there = await observeInstance(client, placement.instance, { signal });
    this.#there.clear();
    for (const [name, host] of there) this.#there.set(name, host);
    if (forget) this.#told.clear();
    for (const name of new Set([...this.#wanted.keys(), ...there.keys()])) this.#queue.add(name);
    this.#queue.resume();
  }

  /** Tells the outcome of a check anew: somebody else said otherwise. */
  retell(name: string, check: string | undefined): void {
    if (this.#told.get(name)?.delete(check ?? '') === true) this.#queue.add(name);
  }

  status(): RegistrarStatus {
    let registered = 0;
    for (const name of this.#wanted.keys()) {
      if (this.#there.get(name)?.instance === this.#init.placement.instance) registered += 1;
    }
    return {
      wanted: this.#wanted.size,
      registered,
      waiting: this.#queue.depth + this.#queue.running,
      problems: Object.fromEntries([...this.#problems].slice(0, maxProblems)),
    };
  }

  /** Resolves when nothing is to do; what failed and waits for its next try does not count. */
  idle(): Promise<void> {
    return this.#queue.idle();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queue[Symbol.asyncDispose]();
  }

  async #run(name: string, signal: AbortSignal): Promise<Outcome> {
    if ((this.#untold.get(name) ?? Infinity) <= this.#init.clock.monotonic()) {
      this.#untold.delete(name);
      this.#told.delete(name);
    }
    for (let round = 0; ; round += 1) {
      try {
        await this.#register(name, signal);
        await this.#tell(name, signal);
        break;
      } catch (error) {
        const differs =
          isTaplineError(error, 'icinga_exists') || isTaplineError(error, 'icinga_not_found');
        if (!differs || round + 1 >= maxRounds) throw error;
        // It is not as it was when last looked at.
        await this.#look(name, signal);
      }
    }
    this.#problems.delete(name);
    const dueMs = this.#untold.get(name);
    if (dueMs === undefined) return { done: true };
    return { requeueAfterMs: Math.max(1, dueMs - this.#init.clock.monotonic()) };
  }

  async #register(name: string, signal: AbortSignal): Promise<void> {
    const { client, placement, onStep } = this.#init;
    const { instance } = placement;
    const wanted = this.#wanted.get(name);
    const there = this.#there.get(name);
    for (const step of planHost(name, wanted, { there, instance })) {
      await executeStep(client, { step, placement }, { signal });
      const after = applyStep(this.#there.get(name), { step, instance });
      if (after === undefined) this.#there.delete(name);
      else this.#there.set(name, after);
      // A new object has no state, whatever its namesake was told.
      if (step.kind === 'delete-host' || step.kind === 'create-host') this.#told.delete(name);
      if (step.kind === 'create-check') this.#told.get(name)?.delete(step.check.name);
      const isMade = step.kind === 'create-host' || step.kind === 'create-check';
      if (isMade && placement.zone !== undefined) {
        this.#untold.set(name, this.#init.clock.monotonic() + satelliteMs);
      }
      onStep?.(step.kind);
    }
  }

  async #tell(name: string, signal: AbortSignal): Promise<void> {
    const wanted = this.#wanted.get(name);
    if (wanted === undefined) return;
    const told = this.#told.get(name) ?? new Map<string, string>();
    this.#told.set(name, told);
    const host = parseIcingaName(name);
    const source = this.#init.placement.instance;
    const outcomes = [
      { check: '', outcome: wanted.outcome },
      ...wanted.checks.map((check) => ({ check: check.name, outcome: check.outcome })),
    ];
    for (const { check, outcome } of outcomes) {
      const result: ProcessCheckResult = checkResult(outcome, source);
      const fingerprint = canonicalJson(result);
      if (told.get(check) === fingerprint) continue;
      const target = { host, ...(check !== '' && { service: parseIcingaName(check) }) };
      await this.#init.client.actions.processCheckResult(target, result, { signal });
      told.set(check, fingerprint);
      this.#init.onResult?.();
    }
  }

  async #look(name: string, signal: AbortSignal): Promise<void> {
    const found = await observeHost(this.#init.client, parseIcingaName(name), { signal });
    if (found === undefined) this.#there.delete(name);
    else this.#there.set(name, found);
    this.#told.delete(name);
  }
}
