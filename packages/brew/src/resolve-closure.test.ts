import { parseDigest } from '@tapline/oci';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Formula } from './formula.ts';
import { resolveClosure } from './resolve-closure.ts';

const bottle = { digest: parseDigest(`sha256:${'0'.repeat(64)}`), url: 'https://example.org/b' };

function formula(name: string, dependencies: readonly string[], tags = ['x86_64_linux']): Formula {
  return {
    name,
    tap: 'homebrew/core',
    aliases: [],
    oldNames: [],
    versionedFormulae: [],
    stableVersion: '1',
    revision: 0,
    rebuild: 0,
    kegOnly: false,
    linkOverwrite: [],
    postInstall: [],
    dependencies,
    bottles: new Map(tags.map((tag) => [tag, bottle])),
  };
}

function names(
  root: string,
  formulae: readonly Formula[],
  implicit: readonly string[] = [],
): string[] {
  const byName = new Map(formulae.map((item) => [item.name, item]));
  const closure = resolveClosure(root, {
    lookup: (name) => byName.get(name === 'openssl' ? 'openssl@3' : name),
    tag: 'x86_64_linux',
    implicit,
    names: byName.keys(),
  });
  return closure.map((member) => member.formula.name);
}

const glibc = [formula('linux-headers', []), formula('glibc', ['linux-headers'])];

test('dependencies come before what needs them, glibc before all', () => {
  const formulae = [...glibc, formula('jq', ['onig']), formula('onig', [])];
  expect(names('jq', formulae, ['glibc'])).toEqual(['linux-headers', 'glibc', 'onig', 'jq']);
});

test('glibc itself does not need itself', () => {
  expect(names('glibc', glibc, ['glibc'])).toEqual(['linux-headers', 'glibc']);
});

test('an alias and the name behind it are one member', () => {
  const formulae = [formula('openssl@3', []), formula('a', ['openssl', 'openssl@3'])];
  expect(names('a', formulae)).toEqual(['openssl@3', 'a']);
});

test('a bottle for all platforms serves each', () => {
  expect(names('ca-certificates', [formula('ca-certificates', [], ['all'])])).toHaveLength(1);
});

test('a cycle is named from its first formula back to it', () => {
  const formulae = [formula('a', ['b']), formula('b', ['c']), formula('c', ['b'])];
  expect(() => names('a', formulae)).toThrow(
    expect.objectContaining({
      code: 'cyclic_dependency',
      message: expect.stringContaining('b → c → b'),
      details: { cycle: ['b', 'c', 'b'] },
    }),
  );
});

test('a missing formula is named with what needs it and what may be meant', () => {
  expect(() => names('a', [formula('a', ['oniguruma']), formula('onigurama', [])])).toThrow(
    expect.objectContaining({
      code: 'formula_not_found',
      message: 'formula oniguruma does not exist, needed by a',
      hint: 'did you mean onigurama?',
    }),
  );
});

test('a missing bottle is named with the platform and those there are', () => {
  expect(() => names('mas', [formula('mas', [], ['arm64_linux', 'arm64_tahoe'])])).toThrow(
    expect.objectContaining({
      code: 'bottle_missing',
      message:
        'formula mas has no bottle for linux/amd64; it has bottles for linux/arm64, arm64_tahoe',
    }),
  );
});

test('of any acyclic graph: complete, without doubles, dependencies first, always the same', () => {
  const graph = fc.integer({ min: 1, max: 25 }).chain((size) =>
    fc.array(fc.array(fc.nat({ max: size - 1 }), { maxLength: 5 }), {
      minLength: size,
      maxLength: size,
    }),
  );
  fc.assert(
    fc.property(graph, (edges) => {
      // Edges go to smaller numbers only, so there is no cycle.
      const formulae = edges.map((targets, index) =>
        formula(
          `f${index}`,
          [...new Set(targets.filter((to) => to < index))].map((to) => `f${to}`),
        ),
      );
      const root = `f${edges.length - 1}`;
      const order = names(root, formulae);
      expect(new Set(order).size).toBe(order.length);
      expect(order.at(-1)).toBe(root);
      for (const { name, dependencies } of formulae.filter((item) => order.includes(item.name))) {
        for (const dependency of dependencies) {
          expect(order.indexOf(dependency)).toBeLessThan(order.indexOf(name));
          expect(order).toContain(dependency);
        }
      }
      expect(names(root, formulae.toReversed())).toEqual(order);
    }),
    { numRuns: 100 },
  );
});

test('a bottle that may not be poured is named, with who needs it', () => {
  const broken = formula('b', []);
  const unusable = new Map([['x86_64_linux', { ...bottle, unusable: 'is made for elsewhere' }]]);
  expect(() => names('a', [formula('a', ['b']), { ...broken, bottles: unusable }])).toThrow(
    expect.objectContaining({
      code: 'bottle_not_pourable',
      message: expect.stringMatching(/^the bottle of formula b\b.*\ba\b.* is made for elsewhere$/),
    }),
  );
});
