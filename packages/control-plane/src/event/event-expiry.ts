import type { Event } from '@tapline/resources';

/** When an Event is removed: a while after it last happened. */
export function eventExpiryMs(event: Event, ttlMs: number): number {
  const last = event.lastTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp ?? '';
  const lastMs = Date.parse(last);
  return Number.isNaN(lastMs) ? 0 : lastMs + ttlMs;
}
