import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseChallenges } from './parse-challenges.ts';

test('the challenges of registries that people use', () => {
  expect(
    parseChallenges(
      'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/alpine:pull,push"',
    ),
  ).toEqual([
    {
      scheme: 'bearer',
      parameters: {
        realm: 'https://auth.docker.io/token',
        service: 'registry.docker.io',
        scope: 'repository:library/alpine:pull,push',
      },
    },
  ]);
  expect(parseChallenges('BASIC realm="a \\"b\\"" , Bearer realm=https://r/token')).toEqual([
    { scheme: 'basic', parameters: { realm: 'a "b"' } },
    { scheme: 'bearer', parameters: { realm: 'https://r/token' } },
  ]);
  expect(parseChallenges('Negotiate')).toEqual([{ scheme: 'negotiate', parameters: {} }]);
});

test('what was quoted comes back, whatever it is', () => {
  const name = fc.stringMatching(/^[a-z]{1,8}$/);
  fc.assert(
    fc.property(fc.dictionary(name, fc.string({ maxLength: 40 }), { minKeys: 1 }), (parameters) => {
      const text = Object.entries(parameters)
        .map(([key, value]) => `${key}="${value.replaceAll(/["\\]/g, '\\$&')}"`)
        .join(', ');
      expect(parseChallenges(`Bearer ${text}`)[0]?.parameters).toEqual(parameters);
    }),
  );
});

test('any text is read without an error, in bounded time', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 300 }), (text) => {
      expect(Array.isArray(parseChallenges(text))).toBe(true);
    }),
  );
  expect(parseChallenges('a='.repeat(100_000)).length).toBeLessThan(10_000);
});
