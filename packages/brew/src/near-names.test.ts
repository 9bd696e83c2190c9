import { expect, test } from 'vitest';
import { nearNames } from './near-names.ts';

const names = ['jq', 'jo', 'yq', 'ripgrep', 'openssl@3', 'openssl@4', 'wget', 'wget2', 'git'];

test.each([
  ['jqq', ['jq']],
  ['ripgerp', ['ripgrep']],
  ['openssl', ['openssl@3', 'openssl@4']],
  ['gti', ['git']],
  ['something-else-entirely', []],
])('%s may be %j', (wanted, expected) => {
  expect(nearNames(wanted, names)).toEqual(expected);
});
