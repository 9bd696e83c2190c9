import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type IcingaEvent, parseIcingaEvent } from './icinga-event.ts';
import { objectKeyOf, type ObjectState, type StateChange } from './object-state.ts';
import { changeOf, type KnownStates, missedChanges, stateAfter } from './reconstruct-states.ts';

const object = { host: 'edge-1', service: 'disk' };
const key = objectKeyOf(object);

function result(atSeconds: number, state: 0 | 1 | 2 | 3, more: Partial<ObjectState> = {}) {
  const event = {
    kind: 'result',
    object,
    atSeconds,
    state,
    hard: true,
    output: `at ${atSeconds}`,
    source: 'ours',
    acknowledged: undefined,
    inDowntime: undefined,
    ...more,
  } as const;
  return event satisfies IcingaEvent;
}

function known(is: ObjectState | undefined): KnownStates {
  return new Map(is === undefined ? [] : [[key, { object, is }]]);
}

function takeAll(events: readonly IcingaEvent[], from?: ObjectState) {
  const changes: StateChange[] = [];
  let is = from;
  for (const event of events) {
    const change = changeOf(known(is), event);
    if (change !== undefined) changes.push(change);
    is = stateAfter(is, event);
  }
  return { is, changes };
}

const results = fc.uniqueArray(
  fc
    .tuple(fc.integer({ min: 1, max: 50 }), fc.constantFrom(0, 1, 2, 3))
    .map(([at, state]) => result(at, state)),
  { selector: (event) => event.atSeconds, minLength: 1 },
);

describe('results', () => {
  test('late, repeated and shuffled ones end at the newest', () => {
    fc.assert(
      fc.property(
        results.chain((events) =>
          fc.tuple(
            fc.constant(events),
            fc.shuffledSubarray([...events, ...events], { minLength: events.length * 2 }),
          ),
        ),
        ([events, delivered]) => {
          const newest = Math.max(...events.map((event) => event.atSeconds));
          expect(takeAll(delivered).is).toMatchObject({ atSeconds: newest });
          expect(takeAll(delivered).is).toEqual(
            takeAll(events.toSorted((a, b) => a.atSeconds - b.atSeconds)).is,
          );
        },
      ),
    );
  });

  test('a cut anywhere, and what was missed found by comparing, tells the same end', () => {
    fc.assert(
      fc.property(results, fc.nat(), fc.nat(), (events, one, other) => {
        const ordered = events.toSorted((a, b) => a.atSeconds - b.atSeconds);
        const [cut = 0, open = 0] = [one, other]
          .map((at) => at % (ordered.length + 1))
          .toSorted((a, b) => a - b);
        const before = takeAll(ordered.slice(0, cut));
        const now = takeAll(ordered.slice(0, open), undefined).is;
        const missed = missedChanges(known(before.is), known(now));
        // The stream is open a little before the states are read: some events come twice.
        const after = takeAll(ordered.slice(cut), now);
        expect(after.is).toEqual(takeAll(ordered).is);
        const told = [...before.changes, ...missed, ...after.changes];
        // Every change follows on the one before: nobody who counts on it is led astray.
        told.reduce<number | undefined>((state, change) => {
          expect(change.before?.state).toBe(state);
          return change.after?.state;
        }, undefined);
        expect(told.at(-1)?.after?.state).toBe(takeAll(ordered).is?.state);
      }),
    );
  });

  test('the same state found again is no change', () => {
    expect(takeAll([result(1, 2), result(2, 2), result(3, 0)]).changes).toHaveLength(2);
  });
});

test('an object that is gone is told once', () => {
  const { is } = takeAll([result(1, 2)]);
  expect(missedChanges(known(is), new Map())).toEqual([
    { object, before: is, after: undefined, missed: true },
  ]);
  expect(missedChanges(new Map(), new Map())).toEqual([]);
});

test('an acknowledgement is a change, and one of before the state is not', () => {
  const at = (atSeconds: number): IcingaEvent => ({
    kind: 'acknowledged',
    object,
    atSeconds,
    value: true,
  });
  const { is } = takeAll([result(5, 2)]);
  expect(changeOf(known(is), at(6))?.after).toMatchObject({ acknowledged: true, state: 2 });
  expect(changeOf(known(is), at(4))).toBeUndefined();
  expect(changeOf(new Map(), at(6))).toBeUndefined();
});

describe('events as Icinga sends them', () => {
  const sent = {
    type: 'CheckResult',
    host: 'edge-1',
    service: 'disk',
    timestamp: 12.5,
    acknowledgement: false,
    downtime_depth: 1,
    check_result: {
      state: 2,
      output: 'full',
      check_source: 'ours',
      execution_end: 12.25,
      vars_after: { state: 2, state_type: 1 },
    },
  };

  test('a result', () => {
    expect(parseIcingaEvent(sent)).toEqual({
      ...result(12.25, 2),
      output: 'full',
      acknowledged: false,
      inDowntime: true,
    });
  });

  test('a host is up or down, whatever number its check has', () => {
    const { service: _, ...host } = sent;
    expect(parseIcingaEvent(host)).toMatchObject({ object: { host: 'edge-1' }, state: 1 });
  });

  test('anything else is nothing, and never throws', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(...Object.keys(sent)), (value, field) => {
        for (const document of [value, { ...sent, [field]: value }]) {
          expect(() => parseIcingaEvent(document)).not.toThrow();
        }
      }),
    );
  });
});
