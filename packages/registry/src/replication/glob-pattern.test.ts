import fc from 'fast-check';
import { expect, test } from 'vitest';
import { globPattern, globPatterns, isPlainName } from './glob-pattern.ts';

test.each([
  ['team/*', ['team/a'], ['team', 'team/a/b', 'x/team/a']],
  ['team/**', ['team/a', 'team/a/b'], ['teams/a', 'team']],
  ['**/jq', ['jq', 'a/jq', 'a/b/jq'], ['ajq', 'jq/a']],
  ['v?.*', ['v1.2', 'v1.'], ['v10', 'v1']],
  ['{a,b}/c', ['a/c', 'b/c'], ['c', 'ab/c']],
  ['a/**/b', ['a/b', 'a/x/b', 'a/x/y/b'], ['a/xb', 'ab']],
  ['a.b+c', ['a.b+c'], ['axb+c', 'a.bbc']],
])('%s', (pattern, yes, no) => {
  expect(yes.filter((name) => !globPattern(pattern)(name))).toEqual([]);
  expect(no.filter((name) => globPattern(pattern)(name))).toEqual([]);
});

test('exclusions win, and patterns that only exclude take all else', () => {
  const releases = globPatterns(['v*', '!*-rc*']);
  expect(['v1', 'v1-rc2', 'main'].filter(releases)).toEqual(['v1']);
  expect(['v1', 'dev'].filter(globPatterns(['!dev']))).toEqual(['v1']);
});

test('a name without signs fits itself alone', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: 40 }), fc.string(), (name, other) => {
      if (!isPlainName(name)) return;
      expect(globPattern(name)(name)).toBe(true);
      expect(globPattern(name)(other)).toBe(name === other);
    }),
  );
});

test.each(['', '{a', 'a}', '{a{b}}', 'a'.repeat(300), '{a,b}'.repeat(7)])(
  '%j is refused',
  (pattern) => {
    expect(() => globPattern(pattern)).toThrow('pattern');
  },
);

test('no pattern takes long, and stars mean what a regular expression says', () => {
  const parts = fc.array(fc.constantFrom('*', '**', 'a', '?', '/'), {
    minLength: 1,
    maxLength: 40,
  });
  fc.assert(
    fc.property(parts, (pattern) => {
      const startMs = performance.now();
      globPattern(pattern.join(''))('a/'.repeat(127));
      expect(performance.now() - startMs).toBeLessThan(1000);
    }),
  );
  const short = fc.array(fc.constantFrom('*', 'a', '?', 'b'), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(short, fc.stringMatching(/^[ab/]{0,6}$/), (pattern, name) => {
      if (pattern.join('').includes('**')) return;
      const source = pattern.join('').replaceAll('*', '[^/]*').replaceAll('?', '[^/]');
      expect(globPattern(pattern.join(''))(name)).toBe(new RegExp(`^${source}$`).test(name));
    }),
  );
});
