import { expect, it } from 'vitest';
import { isObjectName } from '@tapline/resources';
import { packageName } from './package-name.ts';

it.each([
  ['jq', undefined, 'jq'],
  ['jq', '1.7.1', 'jq.1.7.1'],
  ['openssl@3', '3.3.1_2', 'openssl-3.3.3.1-2'],
  ['gtk+3', '1:2.0~rc1', 'gtkx3.1-2.0-rc1'],
  ['c++', '1+2', 'cxx.1x2'],
])('%s %s is %s', (formula, version, expected) => {
  const name = packageName(formula, version);
  expect(isObjectName(name)).toBe(true);
  expect(name).toBe(expected);
});
