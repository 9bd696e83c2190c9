import { expect, test } from 'vitest';
import { parseFormula } from './parse-formula.ts';

const hex = 'a'.repeat(64);
const file = {
  cellar: ':any',
  url: `https://ghcr.io/v2/homebrew/core/jq/blobs/sha256:${hex}`,
  sha256: hex,
};
const jq = {
  name: 'jq',
  full_name: 'jq',
  tap: 'homebrew/core',
  aliases: [],
  versions: { stable: '1.8.1', head: 'HEAD', bottle: true },
  revision: 1,
  bottle: {
    stable: {
      rebuild: 2,
      root_url: 'https://ghcr.io/v2/homebrew/core',
      files: { x86_64_linux: file },
    },
  },
  dependencies: ['oniguruma'],
  uses_from_macos: [
    'zlib',
    { flex: 'build' },
    { python: ['build', 'test'] },
    { libxcrypt: ['recommended'] },
  ],
  variations: { arm64_linux: { dependencies: ['oniguruma', 'libatomic'] } },
  some_field_of_next_year: { nested: true },
};

test('what macOS supplies is a dependency on Linux, unless for building or testing only', () => {
  expect(parseFormula(jq, 'x86_64_linux').dependencies).toEqual(['oniguruma', 'zlib', 'libxcrypt']);
});

test('a variation replaces whole fields, for its own tag only', () => {
  expect(parseFormula(jq, 'arm64_linux').dependencies).toEqual([
    'oniguruma',
    'libatomic',
    'zlib',
    'libxcrypt',
  ]);
});

test.each([
  [true, ':versioned_formula', true],
  [true, "it would shadow the system's", true],
  [true, ':provided_by_macos', false],
  [true, ':shadowed_by_macos', false],
  [false, ':versioned_formula', false],
])('keg-only %s because of %s is %s on Linux', (kegOnly, reason, expected) => {
  const json = { ...jq, keg_only: kegOnly, keg_only_reason: { reason, explanation: '' } };
  expect(parseFormula(json, 'x86_64_linux').kegOnly).toBe(expected);
});

test('a formula may be keg-only without a reason', () => {
  const json = { ...jq, keg_only: true, keg_only_reason: null };
  expect(parseFormula(json, 'x86_64_linux').kegOnly).toBe(true);
});

test('version, revision, rebuild and bottles are read', () => {
  const formula = parseFormula(jq, 'x86_64_linux');
  expect(formula).toMatchObject({ name: 'jq', stableVersion: '1.8.1', revision: 1, rebuild: 2 });
  expect(formula.bottles.get('x86_64_linux')).toEqual({ digest: `sha256:${hex}`, url: file.url });
});

test('a service has the prefix filled in, and the command for Linux', () => {
  const service = {
    run: { macos: ['x'], linux: ['$HOMEBREW_PREFIX/opt/jq/bin/jqd', '-f'] },
    working_dir: '$HOMEBREW_PREFIX/var',
    keep_alive: { always: true },
  };
  expect(parseFormula({ ...jq, service }, 'x86_64_linux').service).toEqual({
    command: ['/home/linuxbrew/.linuxbrew/opt/jq/bin/jqd', '-f'],
    workingDirectory: '/home/linuxbrew/.linuxbrew/var',
    keepAlive: true,
  });
  expect(parseFormula({ ...jq, service: null }, 'x86_64_linux').service).toBeUndefined();
});

test.each([
  ['name', { ...jq, name: '../etc' }],
  ['revision', { ...jq, revision: -1 }],
  ['versions.stable', { ...jq, versions: { stable: '1/../2' } }],
  ['dependencies.0', { ...jq, dependencies: ['a/b'] }],
  ['bottle.stable.files.x86_64_linux.sha256', withFile({ ...file, sha256: 'ABC' })],
  ['bottle.stable.files.x86_64_linux.url', withFile({ ...file, url: 'file:///etc/passwd' })],
  ['(root)', 'not an object'],
])('a wrong %s is named', (field, json) => {
  expect(() => parseFormula(json, 'x86_64_linux')).toThrow(
    expect.objectContaining({
      code: 'formula_invalid',
      message: expect.stringContaining(`${field}: `),
    }),
  );
});

function withFile(changed: object): object {
  return { ...jq, bottle: { stable: { files: { x86_64_linux: changed } } } };
}

test.each([
  [{ pour_bottle_only_if: 'default_prefix' }, undefined],
  [{ pour_bottle_only_if: 'clt_installed' }, undefined],
  [{ pour_bottle_only_if: null }, undefined],
  [{ pour_bottle_only_if: 'phase_of_moon' }, /only if "phase_of_moon"/],
])('%j decides whether the bottle may be poured', (fields, expected) => {
  const bottle = parseFormula({ ...jq, ...fields }, 'x86_64_linux').bottles.get('x86_64_linux');
  expect(bottle?.unusable ?? 'may be poured').toMatch(expected ?? 'may be poured');
});

test.each([
  [':any_skip_relocation', undefined],
  ['/home/linuxbrew/.linuxbrew/Cellar', undefined],
  [
    '/usr/local/Cellar',
    'is made for /usr/local/Cellar, and images have /home/linuxbrew/.linuxbrew/Cellar',
  ],
])('a bottle for the Cellar %s', (cellar, expected) => {
  const bottle = { stable: { files: { x86_64_linux: { ...file, cellar } } } };
  const formula = parseFormula({ ...jq, bottle }, 'x86_64_linux');
  expect(formula.bottles.get('x86_64_linux')?.unusable).toBe(expected);
});
