import { type Clock, isTaplineError } from '@tapline/base';
import type { ResourceClient } from '@tapline/client';
import { type Enrolment, enrolmentResource } from '@tapline/resources';

/**
 * Counts downloads on Enrolments. Those of one that come while a write is under way share the next
 * one, so that a crowd at one link costs a few writes. Resolves when its own is counted.
 */
export function createDownloadCounter(init: {
  readonly client: ResourceClient;
  readonly clock: Clock;
}): (enrolment: Enrolment) => Promise<void> {
  const { client, clock } = init;
  const waiting = new Map<string, { count: number; written: Promise<void> }>();
  const writing = new Map<string, Promise<void>>();

  async function add(name: string, uid: string, count: number): Promise<void> {
    for (;;) {
      let enrolment: Enrolment;
      try {
        enrolment = await client.get(enrolmentResource, name);
      } catch (error) {
        if (isTaplineError(error, 'not_found')) return;
        throw error;
      }
      if (enrolment.metadata.uid !== uid) return;
      const status = {
        ...enrolment.status,
        downloads: (enrolment.status?.downloads ?? 0) + count,
        lastDownloadAt: new Date(clock.now()).toISOString(),
      };
      try {
        await client.updateStatus(enrolmentResource, { ...enrolment, status });
        return;
      } catch (error) {
        if (isTaplineError(error, 'not_found')) return;
        if (!isTaplineError(error, 'conflict')) throw error;
      }
    }
  }

  return ({ metadata: { name, uid = '' } }) => {
    const shared = waiting.get(uid);
    if (shared !== undefined) {
      shared.count += 1;
      return shared.written;
    }
    const next = { count: 1, written: Promise.resolve() };
    next.written = (async () => {
      // Whether the one before it could be written is its own callers' matter.
      await writing.get(uid)?.catch(() => undefined);
      waiting.delete(uid);
      const write = add(name, uid, next.count);
      writing.set(uid, write);
      try {
        await write;
      } finally {
        if (writing.get(uid) === write) writing.delete(uid);
      }
    })();
    waiting.set(uid, next);
    return next.written;
  };
}
