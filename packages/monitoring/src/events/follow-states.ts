import {
  backoffMs,
  type Clock,
  errorMessage,
  isTaplineError,
  type Log,
  type Rng,
  TaplineError,
} from '@tapline/base';
import type { IcingaClient } from '../icinga/create-icinga-client.ts';
import { type IcingaName, parseIcingaName } from '../icinga/icinga-name.ts';
import type { InstanceName } from '../registration/registration-config.ts';
import { icingaEventTypes, type IcingaEvent, parseIcingaEvent } from './icinga-event.ts';
import { type ObjectId, objectKeyOf, type ObjectState, type StateChange } from './object-state.ts';
import { observeStates } from './observe-states.ts';
import { changeOf, type KnownStates, missedChanges, stateAfter } from './reconstruct-states.ts';

export interface FollowInit {
  readonly client: IcingaClient;
  readonly instance: InstanceName;
  /** The service whose results show that the stream lives. */
  readonly canary: { readonly host: IcingaName; readonly service: IcingaName };
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
  /** Before a stream is opened: what has to stand in Icinga first. */
  readonly prepare: (signal: AbortSignal) => Promise<void>;
  readonly onChange: (change: StateChange) => void;
  /** A result came of a check, whether or not it changed anything. */
  readonly onResult?: (event: IcingaEvent) => void;
  /** How often a canary is sent, 10 s unless given; a stream without one for three times as long is dead. */
  readonly canaryMs?: number;
  /** How often all states are read also while the stream lives; 5 min unless given. */
  readonly compareMs?: number;
  readonly firstBackoffMs?: number;
  readonly maxBackoffMs?: number;
}

const defaultCanaryMs = 10_000;

/** One event stream: what came while states were read, undefined while nothing waits. */
interface Stream {
  buffer: IcingaEvent[] | undefined;
  seenMs: number;
}

export interface FollowStatus {
  readonly live: boolean;
  /** Since when it is live, or is not. */
  readonly sinceMs: number;
  /** Streams so far that were live. */
  readonly streams: number;
  /** From a canary's sending until its event came, the last time. */
  readonly lagSeconds: number | undefined;
  readonly lastError: string | undefined;
}

/**
 * Follows how everything of an instance stands in Icinga, over cuts, reloads and crashes of it. Its
 * event stream has no positions, no heartbeat and sends nothing again, so each stream is proven by a
 * canary first, then all states are read and compared with what was known, then events that came
 * meanwhile and are newer are taken; only then it is live.
 */
export class StateFollower implements AsyncDisposable {
  readonly #init: FollowInit;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #known = new Map<string, { readonly object: ObjectId; readonly is: ObjectState }>();
  #status: FollowStatus;

  constructor(init: FollowInit) {
    this.#init = init;
    this.#status = {
      live: false,
      sinceMs: init.clock.now(),
      streams: 0,
      lagSeconds: undefined,
      lastError: undefined,
    };
    this.#running = this.#follow();
  }

  get status(): FollowStatus {
    return this.#status;
  }

  get known(): KnownStates {
    return this.#known;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new TaplineError('stopped', 'following Icinga was stopped'));
    await this.#running;
  }

  async #follow(): Promise<void> {
    const {
      clock,
      rng,
      log,
      firstBackoffMs: baseMs = 1000,
      maxBackoffMs: maxMs = 180_000,
    } = this.#init;
    const { signal } = this.#stop;
    let failures = 0;
    while (!signal.aborted) {
      const before = this.#status.streams;
      try {
        await this.#runStream();
      } catch (error) {
        if (signal.aborted) return;
        // It was live meanwhile: that is the first failure.
        if (this.#status.streams > before) failures = 0;
        if (failures === 0 || !isTaplineError(error, 'icinga_unreachable')) {
          log.warn('Icinga is not followed', { error, failures });
        }
        this.#become(false, { lastError: errorMessage(error) });
      }
      try {
        await clock.sleep(backoffMs(failures, { baseMs, maxMs, rng }), { signal });
      } catch {
        return;
      }
      failures += 1;
    }
  }

  /** One stream, until it ends; always throws. */
  async #runStream(): Promise<never> {
    const ended = new AbortController();
    const signal = AbortSignal.any([this.#stop.signal, ended.signal]);
    const { client, clock, instance } = this.#init;
    await this.#init.prepare(signal);
    // Another queue for each stream: an old one could still take events away.
    const queue = `tapline-${instance}-${Math.floor(this.#init.rng() * 0xffff_ffff).toString(36)}`;
    const stream: Stream = { buffer: [], seenMs: clock.monotonic() };
    const proven = Promise.withResolvers<void>();
    const read = async (): Promise<never> => {
      const subscription = { queue, types: icingaEventTypes };
      for await (const document of client.events(subscription, { signal })) {
        const event = parseIcingaEvent(document);
        if (event === undefined) continue;
        if (this.#isCanary(event)) {
          stream.seenMs = clock.monotonic();
          proven.resolve();
        } else if (stream.buffer === undefined) this.#take(event);
        else stream.buffer.push(event);
      }
      throw new TaplineError('icinga_unreachable', 'the event stream of Icinga ended');
    };
    const compare = async (): Promise<never> => {
      await proven.promise;
      await this.#compare(stream, signal);
      this.#become(true, { streams: this.#status.streams + 1, lastError: undefined });
      for (;;) {
        await clock.sleep(this.#init.compareMs ?? 300_000, { signal });
        await this.#compare(stream, signal);
      }
    };
    const all = [read(), compare(), this.#sendCanaries(stream, signal)];
    try {
      return await Promise.race(all);
    } finally {
      ended.abort(new TaplineError('stopped', 'this event stream is over'));
      proven.resolve();
      await Promise.allSettled(all);
    }
  }

  /** Reads how all stands, tells what was missed, then takes the events that came meanwhile. */
  async #compare(stream: Stream, signal: AbortSignal): Promise<void> {
    stream.buffer ??= [];
    const now = await observeStates(this.#init.client, this.#init.instance, { signal });
    const changes = missedChanges(this.#known, now);
    this.#known = new Map(now);
    for (const change of changes) this.#init.onChange(change);
    // From here on nothing waits, so no event comes between.
    const buffered = stream.buffer;
    stream.buffer = undefined;
    for (const event of buffered) this.#take(event);
  }

  #take(event: IcingaEvent): void {
    const key = objectKeyOf(event.object);
    const change = changeOf(this.#known, event);
    const is = stateAfter(this.#known.get(key)?.is, event);
    if (is !== undefined) {
      this.#known.set(key, { object: event.object, is });
    }
    if (event.kind === 'result') this.#init.onResult?.(event);
    if (change !== undefined) this.#init.onChange(change);
  }

  /** Sends canaries until one is missed for too long. */
  async #sendCanaries(stream: Stream, signal: AbortSignal): Promise<never> {
    const { clock, canaryMs = defaultCanaryMs } = this.#init;
    for (let sent = 0; ; sent += 1) {
      const silentMs = clock.monotonic() - stream.seenMs;
      if (silentMs > 3 * canaryMs) {
        throw new TaplineError(
          'icinga_stream_stalled',
          `no event came out of Icinga for ${Math.round(silentMs / 1000)} s although results went in`,
          { hint: 'see whether its log tells of a full queue of events' },
        );
      }
      await this.#sendCanary(signal);
      // Nothing says that a stream is open; the first canaries may have been too early for it.
      await clock.sleep(sent < 50 && !this.#status.live ? 100 : canaryMs, { signal });
    }
  }

  async #sendCanary(signal: AbortSignal): Promise<void> {
    const { client, clock, canary, canaryMs = defaultCanaryMs, instance } = this.#init;
    const result = {
      exit_status: 0,
      plugin_output: `reports at ${new Date(clock.now()).toISOString()}`,
      performance_data: [],
      check_source: instance,
      ttl: Math.max(60, Math.ceil((4 * canaryMs) / 1000)),
    } as const;
    try {
      await client.actions.processCheckResult(canary, result, { signal });
    } catch (error) {
      // It is made together with everything else, and that has only begun.
      if (!isTaplineError(error, 'icinga_not_found')) throw error;
    }
  }

  #isCanary(event: IcingaEvent): boolean {
    const { host, service } = this.#init.canary;
    if (event.object.host !== host || event.object.service !== service) return false;
    if (event.kind === 'result') {
      const lagSeconds = Math.max(0, this.#init.clock.now() / 1000 - event.atSeconds);
      this.#status = { ...this.#status, lagSeconds };
    }
    return true;
  }

  #become(live: boolean, more: Partial<FollowStatus>): void {
    const sinceMs = live === this.#status.live ? this.#status.sinceMs : this.#init.clock.now();
    this.#status = { ...this.#status, ...more, live, sinceMs };
  }
}

/** The host that stands for a control plane, and the service that says that it reports. */
export function watchdogOf(
  instance: InstanceName,
  prefix: string,
): { readonly host: IcingaName; readonly service: IcingaName } {
  return {
    host: parseIcingaName(`${prefix}tapline-${instance}`),
    service: parseIcingaName('reports'),
  };
}
