import type { IcingaEvent } from './icinga-event.ts';
import { type ObjectId, objectKeyOf, type ObjectState, type StateChange } from './object-state.ts';

/** What is known of every object, by its key. */
export type KnownStates = ReadonlyMap<
  string,
  { readonly object: ObjectId; readonly is: ObjectState }
>;

/**
 * How an object stands after an event; the same where the event is older than what is known, comes
 * again, or says nothing new.
 */
export function stateAfter(
  before: ObjectState | undefined,
  event: IcingaEvent,
): ObjectState | undefined {
  if (event.kind === 'result') {
    if (before !== undefined && event.atSeconds <= before.atSeconds) return before;
    return {
      state: event.state,
      hard: event.hard,
      output: event.output,
      acknowledged: event.acknowledged ?? before?.acknowledged ?? false,
      inDowntime: event.inDowntime ?? before?.inDowntime ?? false,
      flapping: before?.flapping ?? false,
      atSeconds: event.atSeconds,
    };
  }
  // Without a state there is nothing that could be acknowledged.
  if (before === undefined || event.atSeconds < before.atSeconds) return before;
  const field = fields[event.kind];
  return before[field] === event.value ? before : { ...before, [field]: event.value };
}

const fields = {
  acknowledged: 'acknowledged',
  downtime: 'inDowntime',
  flapping: 'flapping',
} as const;

/**
 * What changed between what was known and what Icinga says now: what happened while no event came.
 * Changes are in the order of their objects' keys.
 */
export function missedChanges(known: KnownStates, now: KnownStates): readonly StateChange[] {
  const keys = [...new Set([...known.keys(), ...now.keys()])].toSorted();
  return keys.flatMap((key): StateChange[] => {
    const before = known.get(key);
    const after = now.get(key);
    if (!differs(before?.is, after?.is)) return [];
    const object = after?.object ?? before?.object;
    return object === undefined
      ? []
      : [{ object, before: before?.is, after: after?.is, missed: true }];
  });
}

/** What an event changes of what is known; undefined where it changes nothing to act on. */
export function changeOf(known: KnownStates, event: IcingaEvent): StateChange | undefined {
  const before = known.get(objectKeyOf(event.object))?.is;
  const after = stateAfter(before, event);
  return differs(before, after)
    ? { object: event.object, before, after, missed: false }
    : undefined;
}

/** Whether anybody has to know: another output or time of the same state is no change. */
function differs(one: ObjectState | undefined, other: ObjectState | undefined): boolean {
  if (one === undefined || other === undefined) return one !== other;
  return (
    one.state !== other.state ||
    one.hard !== other.hard ||
    one.acknowledged !== other.acknowledged ||
    one.inDowntime !== other.inDowntime ||
    one.flapping !== other.flapping
  );
}
