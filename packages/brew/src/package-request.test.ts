import { expect, test } from 'vitest';
import { parsePackageRequest } from './package-request.ts';

test.each([
  ['jq', { name: 'jq' }],
  ['jq@1.7.1', { name: 'jq@1.7.1', versioned: { name: 'jq', version: '1.7.1' } }],
  ['openssl@3', { name: 'openssl@3', versioned: { name: 'openssl', version: '3' } }],
  [
    'openssl@3@3.6.1',
    { name: 'openssl@3@3.6.1', versioned: { name: 'openssl@3', version: '3.6.1' } },
  ],
  ['gtk+3', { name: 'gtk+3' }],
])('%s', (text, request) => {
  expect(parsePackageRequest(text)).toEqual(request);
});

test.each(['', '@3', 'jq@', '../jq', 'jq@1/2', 'a b', '-rf'])('%j is refused', (text) => {
  expect(() => parsePackageRequest(text)).toThrow(
    expect.objectContaining({ code: 'formula_name_invalid' }),
  );
});
