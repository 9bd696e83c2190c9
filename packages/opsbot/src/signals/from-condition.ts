import type { ApiObject, Condition, OpsTarget } from '@tapline/resources';
import type { Signal } from './signal.ts';

/** What an object's conditions say; `order` is when the informer told it, by our monotonic clock. */
export function fromConditions(
  object: ApiObject<unknown, { readonly conditions?: readonly Condition[] | undefined }>,
  order: number,
): readonly Signal[] {
  const target = { kind: object.kind, name: object.metadata.name } as OpsTarget;
  return (object.status?.conditions ?? []).map(
    ({ type, status, reason, message, lastTransitionTime }) => ({
      source: 'condition',
      key: `condition/${target.kind}/${target.name}/${type}`,
      targets: [target],
      topic: type,
      state: status,
      reason,
      says: message.slice(0, 1000),
      sinceMs: Date.parse(lastTransitionTime),
      order,
      handled: false,
      flapping: false,
    }),
  );
}
