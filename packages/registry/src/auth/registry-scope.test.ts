import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatRegistryScope, parseRegistryScopes } from './registry-scope.ts';

test('scopes as clients send them', () => {
  expect(
    parseRegistryScopes([
      'repository:team/jq:pull,push repository(plugin):a:pull',
      'registry:catalog:*',
    ]).map(formatRegistryScope),
  ).toEqual(['repository:team/jq:pull,push', 'repository:a:pull', 'registry:catalog:*']);
});

test.each([
  '',
  'repository',
  'repository:UPPER:pull',
  'repository:../etc:pull',
  'project:a:pull',
  'repository:a',
  'registry:else:*',
  `repository:${'a'.repeat(600)}:pull`,
])('%j gives nothing', (text) => {
  expect(parseRegistryScopes([text])).toEqual([]);
});

test('no text gives more scopes than the limit, and each is read back as it is written', () => {
  fc.assert(
    fc.property(fc.array(fc.string(), { maxLength: 8 }), (texts) => {
      const scopes = parseRegistryScopes(texts);
      expect(scopes.length).toBeLessThanOrEqual(64);
      expect(parseRegistryScopes(scopes.map(formatRegistryScope))).toEqual(scopes);
    }),
  );
  expect(parseRegistryScopes(['repository:a:pull '.repeat(500)])).toHaveLength(64);
});
