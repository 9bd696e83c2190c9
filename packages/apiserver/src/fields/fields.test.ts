import fc from 'fast-check';
import { deliveryResource, installResource } from '@tapline/resources';
import { describe, expect, test } from 'vitest';
import type { AnyObject } from '../any-object.ts';
import { serveKind } from '../served-kind.ts';
import { applyObject } from './apply-object.ts';
import {
  decodeFields,
  differenceOf,
  encodeFields,
  type FieldSet,
  intersectionOf,
  pathsOf,
  unionOf,
} from './field-set.ts';

const delivery = serveKind(deliveryResource);
const install = serveKind(installResource);

function empty(): AnyObject {
  return { apiVersion: delivery.apiVersion, kind: 'Delivery', metadata: { name: 'x' } };
}

/** Applies as a manager and takes the result as stored. */
function apply(
  live: AnyObject,
  manager: string,
  config: Record<string, unknown>,
  options: { force?: boolean; kind?: typeof delivery; subresource?: string } = {},
): AnyObject {
  const { kind = delivery, force = false, subresource } = options;
  const { metadata = {}, ...fields } = config;
  const applied = applyObject(
    kind,
    live,
    { ...empty(), metadata: { name: 'x', ...(metadata as object) }, ...fields },
    { manager, subresource, time: '2026-01-01T00:00:00Z', force },
  );
  const managedFields = applied.managedFields(applied.object);
  return { ...applied.object, metadata: { ...applied.object.metadata, managedFields } };
}

function ownedBy(object: AnyObject, manager: string): readonly string[] {
  const entry = object.metadata.managedFields?.find((one) => one.manager === manager);
  return entry === undefined ? [] : pathsOf(decodeFields(entry.fieldsV1)).toSorted();
}

describe('apply', () => {
  test('two managers of different fields do not disturb each other', () => {
    const one = apply(empty(), 'one', { spec: { package: { formula: 'jq' } } });
    const both = apply(one, 'two', { spec: { paused: true } });
    expect(both['spec']).toEqual({ package: { formula: 'jq' }, paused: true });
    expect(ownedBy(both, 'one')).toEqual(['.spec.package.formula']);
    expect(ownedBy(both, 'two')).toEqual(['.spec.paused']);
  });

  test('a field that a manager leaves out goes, unless another one owns it', () => {
    const labels = { a: '1', b: '2' };
    const one = apply(empty(), 'one', { metadata: { labels }, spec: { rollout: 2 } });
    const two = apply(one, 'two', { metadata: { labels: { a: '1' } } });
    const less = apply(two, 'one', { spec: { rollout: 2 } });
    expect(less.metadata.labels).toEqual({ a: '1' });
    const none = apply(less, 'two', {});
    expect(none.metadata.labels).toBeUndefined();
  });

  test('a field with another value is a conflict that names its manager; force takes it over', () => {
    const one = apply(empty(), 'one', { spec: { rollout: 2, paused: true } });
    expect(() => apply(one, 'two', { spec: { rollout: 3, paused: false } })).toThrow(
      /Apply failed with 2 conflicts: conflict with "one" using tapline\.dev\/v1alpha1: \.spec\.rollout/,
    );
    const same = apply(one, 'two', { spec: { rollout: 2 } });
    expect(ownedBy(same, 'two')).toEqual(['.spec.rollout']);
    const forced = apply(one, 'two', { spec: { rollout: 3 } }, { force: true });
    expect(forced['spec']).toEqual({ rollout: 3, paused: true });
    expect(ownedBy(forced, 'one')).toEqual(['.spec.paused']);
  });

  test('conditions are owned one by one, by their type', () => {
    const ready = { type: 'Ready', status: 'True', reason: 'R', message: '' };
    const built = { type: 'Built', status: 'True', reason: 'B', message: '' };
    const options = { kind: install, subresource: 'status' };
    const one = apply(empty(), 'one', { status: { conditions: [ready] } }, options);
    const both = apply(one, 'two', { status: { conditions: [built] } }, options);
    expect(both['status']).toEqual({ conditions: [ready, built] });
    const left = apply(both, 'one', { status: { conditions: [] } }, options);
    expect(left['status']).toEqual({ conditions: [built] });
  });
});

// Values over which managers meet: maps, a scalar, atomic lists.
const config = fc.record(
  {
    metadata: fc.record(
      { labels: fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('1', '2')) },
      { requiredKeys: [] },
    ),
    spec: fc.record(
      {
        rollout: fc.integer({ min: 1, max: 3 }),
        paused: fc.boolean(),
        run: fc.record({
          command: fc.array(fc.constantFrom('x', 'y'), { minLength: 1, maxLength: 2 }),
        }),
      },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: [] },
);

test('applying the same again changes nothing', () => {
  fc.assert(
    fc.property(config, config, (first, second) => {
      const live = apply(empty(), 'one', first);
      const once = apply(live, 'two', second, { force: true });
      expect(apply(once, 'two', second, { force: true })).toEqual(once);
    }),
    { numRuns: 300 },
  );
});

test('after a forced apply every applied field has its applied value', () => {
  fc.assert(
    fc.property(config, config, (first, second) => {
      const live = apply(apply(empty(), 'one', first), 'two', second, { force: true });
      for (const [key, value] of Object.entries(second.metadata?.labels ?? {})) {
        expect(live.metadata.labels?.[key]).toBe(value);
      }
      expect(live['spec'] ?? {}).toMatchObject(second.spec ?? {});
    }),
    { numRuns: 300 },
  );
});

test('when all managers apply nothing, nothing of theirs is left', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom('one', 'two', 'three'), config)), (steps) => {
      let live = empty();
      for (const [manager, wanted] of steps) live = apply(live, manager, wanted, { force: true });
      for (const manager of ['one', 'two', 'three']) live = apply(live, manager, {});
      expect(live.metadata.labels).toBeUndefined();
      expect(JSON.stringify(live['spec'] ?? {})).not.toMatch(/rollout|paused|command/);
    }),
    { numRuns: 300 },
  );
});

const set: fc.Arbitrary<FieldSet> = fc
  .object({
    key: fc.constantFrom('f:a', 'f:b', 'v:1', '.'),
    values: [fc.constant({})],
    maxDepth: 3,
  })
  .map((value) => decodeFields(value));

test('sets of fields obey the laws of sets, and survive being written and read', () => {
  fc.assert(
    fc.property(set, set, (a, b) => {
      const both = unionOf(a, b);
      expect(new Set(pathsOf(both))).toEqual(new Set([...pathsOf(a), ...pathsOf(b)]));
      expect(pathsOf(differenceOf(a, b)).toSorted()).toEqual(
        pathsOf(a)
          .filter((path) => !pathsOf(b).includes(path))
          .toSorted(),
      );
      expect(pathsOf(intersectionOf(a, b)).toSorted()).toEqual(
        pathsOf(a)
          .filter((path) => pathsOf(b).includes(path))
          .toSorted(),
      );
      expect(pathsOf(decodeFields(encodeFields(a)))).toEqual(pathsOf(a));
    }),
    { numRuns: 300 },
  );
});
