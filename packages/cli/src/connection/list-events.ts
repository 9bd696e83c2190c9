import type { KubeconfigContext } from '@tapline/client';
import type { ApiObject } from '@tapline/resources';
import { readText, requestPath } from './request-path.ts';

/** What happened to an object, as Kubernetes records it. */
export interface RecordedEvent {
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly count: number;
  readonly lastTimestamp: string;
}

/** The events about an object, oldest first. */
export async function listEvents(
  context: KubeconfigContext,
  object: ApiObject,
  signal: AbortSignal,
): Promise<readonly RecordedEvent[]> {
  const selector = `involvedObject.uid=${object.metadata.uid ?? ''}`;
  const path = `/api/v1/events?fieldSelector=${encodeURIComponent(selector)}`;
  const list = JSON.parse(await readText(await requestPath(context, path, { signal }))) as {
    readonly items: readonly (Partial<RecordedEvent> & { readonly eventTime?: string | null })[];
  };
  return list.items
    .map((event) => ({
      type: event.type ?? 'Normal',
      reason: event.reason ?? '',
      message: event.message ?? '',
      count: event.count ?? 1,
      lastTimestamp: event.lastTimestamp ?? event.eventTime ?? '',
    }))
    .toSorted((a, b) => (a.lastTimestamp < b.lastTimestamp ? -1 : 1));
}
