import { type Clock, isTaplineError, type Log } from '@tapline/base';
import type { ResourceClient } from '@tapline/client';
import { eventResource } from '@tapline/resources';
import type { AnyObject } from './any-object.ts';

/** Something worth telling who looks at an object. */
export interface RecordedEvent {
  readonly type: 'Normal' | 'Warning';
  /** One CamelCase word. */
  readonly reason: string;
  readonly message: string;
}

/** Writes Kubernetes Events beside the work; nothing waits for them, and losing one loses no work. */
export interface EventRecorder extends AsyncDisposable {
  record(object: AnyObject, event: RecordedEvent): void;
}

interface Known {
  readonly name: string;
  count: number;
}

const maxPending = 1000;
const maxKnown = 4096;
/** Kubernetes: a name has at most 253 characters, and the suffix takes some. */
const maxNameLength = 230;

/** Starts a recorder; the same event of the same object is counted, not written anew. */
export function createEventRecorder(init: {
  readonly client: ResourceClient;
  readonly clock: Clock;
  readonly log: Log;
  /** Who reports, such as `tapline-delivery`. */
  readonly component: string;
}): EventRecorder {
  const { client, clock, log, component } = init;
  const known = new Map<string, Known>();
  const pending: { readonly object: AnyObject; readonly event: RecordedEvent }[] = [];
  let working: Promise<void> | undefined;
  let sequence = 0;

  async function work(): Promise<void> {
    for (let next = pending.shift(); next !== undefined; next = pending.shift()) {
      try {
        await write(next.object, next.event);
      } catch (error) {
        log.warn('event not recorded', { reason: next.event.reason, error });
      }
    }
    working = undefined;
  }

  async function write(object: AnyObject, event: RecordedEvent): Promise<void> {
    const { apiVersion, kind, metadata } = object;
    const { name, namespace = 'default', uid = '' } = metadata;
    const { type, reason, message } = event;
    const key = [uid, type, reason, message].join('\0');
    const now = `${new Date(clock.now()).toISOString().slice(0, 19)}Z`;
    const before = known.get(key);
    if (before !== undefined) {
      before.count += 1;
      const body = { count: before.count, lastTimestamp: now };
      try {
        await client.patch(eventResource, before.name, { kind: 'merge', body }, { namespace });
        return;
      } catch (error) {
        if (!isTaplineError(error, 'not_found')) throw error;
      }
    }
    sequence += 1;
    const suffix = `${Math.floor(clock.now() * 1000).toString(16)}-${sequence.toString(36)}`;
    const eventName = `${name.slice(0, maxNameLength).replace(/[^a-z0-9]+$/, '')}.${suffix}`;
    await client.create(
      eventResource,
      {
        metadata: { name: eventName, namespace },
        involvedObject: {
          apiVersion,
          kind,
          name,
          uid,
          ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
        },
        type,
        reason,
        message,
        count: 1,
        firstTimestamp: now,
        lastTimestamp: now,
        source: { component },
        reportingComponent: component,
      },
      { namespace },
    );
    // Forgetting the oldest only means that a repetition of it is written anew.
    if (known.size >= maxKnown) known.delete(known.keys().next().value ?? '');
    known.set(key, { name: eventName, count: 1 });
  }

  return {
    record(object, event) {
      if (pending.length >= maxPending) {
        log.warn('event dropped', { reason: event.reason, pending: pending.length });
        return;
      }
      pending.push({ object, event });
      working ??= work();
    },
    async [Symbol.asyncDispose]() {
      await working;
    },
  };
}
