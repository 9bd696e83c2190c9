import { isTaplineError } from '@tapline/base';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatReference } from './format-reference.ts';
import { parseReference } from './parse-reference.ts';

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;

test.each([
  ['jq', 'docker.io/library/jq:latest'],
  ['jq:1.7', 'docker.io/library/jq:1.7'],
  ['team/jq', 'docker.io/team/jq:latest'],
  ['index.docker.io/jq', 'docker.io/library/jq:latest'],
  ['localhost/jq', 'localhost/jq:latest'],
  ['localhost:5000/jq', 'localhost:5000/jq:latest'],
  [`localhost:5000/team/jq:1.7@${digest}`, `localhost:5000/team/jq:1.7@${digest}`],
  [`ghcr.io/homebrew/core/openssl/3@${digest}`, `ghcr.io/homebrew/core/openssl/3@${digest}`],
  ['Upper/jq', 'Upper/jq:latest'],
  ['[::1]:5000/jq:v1', '[::1]:5000/jq:v1'],
  ['127.0.0.1:5000/a/b__c/d--e:V_1.0-x', '127.0.0.1:5000/a/b__c/d--e:V_1.0-x'],
])('%s is %s', (text, expected) => {
  expect(formatReference(parseReference(text))).toBe(expected);
});

test('defaults are the caller’s', () => {
  const options = { defaultRegistry: 'registry.example:5000', defaultTag: 'stable' };
  expect(formatReference(parseReference('jq', options))).toBe('registry.example:5000/jq:stable');
  expect(parseReference(`jq@${digest}`, options)).not.toHaveProperty('tag');
});

test.each([
  '',
  ':tag',
  '/jq',
  'jq/',
  'a//b',
  'JQ',
  'team/Jq',
  'jq:',
  'jq:-x',
  `jq:${'x'.repeat(129)}`,
  'jq:a:b',
  'a.b/../c',
  'a/b..c',
  '-a/b',
  'host:port/jq',
  'host:123456/jq',
  'ex_ample.com/jq',
  'jq ',
  'jq\n',
  'x'.repeat(256),
])('refuses %j', (text) => {
  expect(() => parseReference(text)).toThrow(
    expect.objectContaining({ code: 'reference_invalid' }),
  );
});

test('a wrong digest is named', () => {
  expect(() => parseReference('jq@sha256:12')).toThrow(/digest "sha256:12"/);
});

describe('any text', () => {
  test('either is refused with a code or comes back from its own format', () => {
    const text = fc.oneof(
      fc.string({ maxLength: 80 }),
      fc.string({
        unit: fc.constantFrom('a', 'Z', '0', '.', '_', '-', '/', ':', '@'),
        maxLength: 40,
      }),
    );
    fc.assert(
      fc.property(text, (input) => {
        const result = outcome(() => parseReference(input));
        expect(result).toMatch(/^(ok|reference_invalid|digest_invalid)$/);
        fc.pre(result === 'ok');
        const reference = parseReference(input);
        expect(parseReference(formatReference(reference))).toEqual(reference);
      }),
      { numRuns: 500, maxSkipsPerRun: 100 },
    );
  });
});

function outcome(run: () => unknown): unknown {
  try {
    run();
    return 'ok';
  } catch (error) {
    return isTaplineError(error) ? error.code : error;
  }
}
