import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const source = globSync('packages/*/src/**/*.ts', { cwd: root, exclude: ['**/*.test.ts'] })
  .map((path) => readFileSync(join(root, path), 'utf8'))
  .join('\n');

function all(pattern: RegExp): readonly string[] {
  return [...source.matchAll(pattern)].map((match) => match.groups?.['text'] ?? '');
}

test('codes are in snake case', () => {
  const codes = all(/new TaplineError\(\s*'(?<text>[^']*)'/g);
  expect(codes.length).toBeGreaterThan(100);
  expect(codes.filter((code) => !/^[a-z0-9]+(_[a-z0-9]+)*$/.test(code))).toEqual([]);
});

test('hints are in lower case, without a full stop', () => {
  const hints = all(/\bhint:\s*(?<quote>['`])(?<text>(?:(?!\k<quote>).)+)\k<quote>/g);
  expect(hints.length).toBeGreaterThan(50);
  expect(hints.filter((hint) => /^[A-Z][a-z]|[^.]\.$/.test(hint))).toEqual([]);
});
