import fc from 'fast-check';
import fastJsonPatch from 'fast-json-patch';
import { describe, expect, test } from 'vitest';
import { jsonPatch } from './json-patch.ts';
import { mergePatch } from './merge-patch.ts';
import { strategicMergePatch } from './strategic-merge-patch.ts';

// RFC 7386, appendix A.
test.each([
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [
    ['a', 'b'],
    ['c', 'd'],
    ['c', 'd'],
  ],
  [{ a: 'b' }, ['c'], ['c']],
  [{ a: 'foo' }, null, null],
  [{ a: 'foo' }, 'bar', 'bar'],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [[1, 2], { a: 'b', c: null }, { a: 'b' }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
])('merge patch of %j with %j is %j', (target, patch, result) => {
  expect(mergePatch(target, patch)).toEqual(result);
});

test('a merge patch is idempotent and changes neither of its inputs', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (target, patch) => {
      const before = JSON.stringify([target, patch]);
      const once = mergePatch(target, patch);
      expect(mergePatch(once, patch)).toEqual(once);
      expect(JSON.stringify([target, patch])).toBe(before);
    }),
  );
});

test('no patch reaches a prototype', () => {
  const evil: unknown = JSON.parse('{"__proto__":{"polluted":true},"constructor":{"x":1}}');
  for (const patched of [mergePatch({}, evil), strategicMergePatch({}, evil)]) {
    expect(Object.getPrototypeOf(patched)).toBe(Object.prototype);
  }
  jsonPatch({}, [{ op: 'add', path: '/__proto__', value: { polluted: true } }]);
  expect(() => jsonPatch({}, [{ op: 'add', path: '/constructor/prototype/x', value: 1 }])).toThrow(
    'nothing at /constructor',
  );
  expect({}).not.toHaveProperty('polluted');
});

describe('JSON patch', () => {
  const steps = fc.constantFrom('/a', '/b', '/l', '/l/0', '/l/1', '/l/-', '/a/x', '/a~1b');
  const operation = fc.oneof(
    fc.record({
      op: fc.constantFrom('add', 'replace', 'test'),
      path: steps,
      value: fc.jsonValue({ maxDepth: 1 }),
    }),
    fc.record({ op: fc.constant('remove'), path: steps }),
    fc.record({ op: fc.constantFrom('move', 'copy'), from: steps, path: steps }),
  );
  const document = fc.record({
    a: fc.dictionary(fc.constantFrom('x', 'y'), fc.integer()),
    l: fc.array(fc.integer(), { maxLength: 3 }),
    'a/b': fc.boolean(),
  });

  test('does what fast-json-patch does, and refuses what that refuses', () => {
    fc.assert(
      fc.property(document, fc.array(operation, { maxLength: 4 }), (target, patch) => {
        const theirs = attempt(
          () =>
            fastJsonPatch.applyPatch(structuredClone(target), structuredClone(patch) as never, true)
              .newDocument,
        );
        const ours = attempt(() => jsonPatch(target, patch));
        if (theirs.kind === 'failed') return;
        // It lets these go beyond the ends of lists, and moves values into themselves.
        const lenient = patch.some(({ op }) => ['move', 'copy', 'remove'].includes(op));
        const agrees =
          ours.kind === 'failed'
            ? lenient
            : JSON.stringify(sorted(ours.value)) === JSON.stringify(sorted(theirs.value));
        expect(agrees).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  test.each([
    [[{ op: 'replace', path: '/none', value: 1 }], 'nothing at /none'],
    [[{ op: 'test', path: '/a', value: 2 }], 'testing value /a failed'],
    [[{ op: 'add', path: 'a', value: 2 }], 'not a JSON pointer'],
    [[{ op: 'grow', path: '/a' }], 'has op "grow"'],
    [[{ op: 'add', path: '/l/9', value: 1 }], 'nothing at /l/9'],
    [[{ op: 'add', path: '/l/01', value: 1 }], 'nothing at /l/01'],
    [{}, 'must be a list'],
  ])('%j is refused: %s', (patch, message) => {
    expect(() => jsonPatch({ a: 1, l: [] }, patch)).toThrow(message);
  });
});

test('a strategic merge patch merges finalizers and owners, and replaces other lists', () => {
  const target = {
    metadata: { finalizers: ['a'], ownerReferences: [{ uid: '1', name: 'x' }] },
    rules: [{ verbs: ['get'] }],
  };
  const patch = {
    metadata: {
      finalizers: ['b'],
      '$deleteFromPrimitiveList/finalizers': ['a'],
      ownerReferences: [
        { uid: '1', name: 'y' },
        { uid: '2', name: 'z' },
      ],
    },
    rules: [{ verbs: ['list'] }],
  };
  expect(strategicMergePatch(target, patch)).toEqual({
    metadata: {
      finalizers: ['b'],
      ownerReferences: [
        { uid: '1', name: 'y' },
        { uid: '2', name: 'z' },
      ],
    },
    rules: [{ verbs: ['list'] }],
  });
});

type Attempt =
  | { readonly kind: 'done'; readonly value: unknown }
  | { readonly kind: 'failed'; readonly message: string };

function attempt(run: () => unknown): Attempt {
  try {
    return { kind: 'done', value: run() };
  } catch (error) {
    return { kind: 'failed', message: String(error) };
  }
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((one) => sorted(one));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return entries.map(([key, one]) => [key, sorted(one)]);
}
