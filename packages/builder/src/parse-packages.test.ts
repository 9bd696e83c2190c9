import { parseFormula } from '@tapline/brew';
import { expect, test } from 'vitest';
import { parsePackages } from './parse-packages.ts';

const sha256 = 'a'.repeat(64);
const blob = `https://ghcr.io/v2/homebrew/core/postgresql/17/blobs/sha256:${sha256}`;

/** As `generate-internal-api.rb` writes it: no blank values, symbols with a colon, for one tag. */
const payload = JSON.stringify({
  metadata: { homebrew_version: '5.2.0', bottle_tag: 'x86_64_linux', generated_at: 1 },
  formulae: {
    'postgresql@17': {
      desc: 'Database',
      homepage: 'https://www.postgresql.org/',
      license: 'PostgreSQL',
      oldnames: ['postgres17'],
      stable_version: '17.6',
      revision: 1,
      bottle_rebuild: 2,
      bottle_cellar: ':any',
      bottle_checksum: sha256,
      keg_only_args: [':versioned_formula'],
      link_overwrite_paths: ['bin/psql'],
      pour_bottle_args: { ':only_if': ':default_prefix' },
      stable_dependencies: ['icu4c@78', { pkgconf: ':build' }, ':linux', { ':macos': [':sonoma'] }],
      stable_uses_from_macos: [
        ['libxml2', { ':since': ':sierra' }],
        [{ bison: ':build' }],
        [{ perl: [':build', ':test'], ':since': ':sierra' }],
        ['openldap'],
      ],
      post_install_steps: [
        { type: 'write', path: { base: 'var', path: 'a' }, content: '\\:escaped' },
      ],
      service_run_args: [['$HOMEBREW_PREFIX/opt/postgresql@17/bin/postgres', '-D', '\\\\x']],
      service_args: [
        [':keep_alive', { ':always': true }],
        [':working_dir', '$HOMEBREW_PREFIX'],
      ],
      service_name_args: { ':linux': 'pg' },
    },
    'ca-certificates': {
      desc: 'Certificates',
      homepage: 'https://curl.se/',
      license: { ':any_of': ['MIT', 'MPL-2.0'] },
      stable_version: '2026-08-01',
      bottle_tag: ':all',
      bottle_checksum: sha256,
    },
  },
  casks: {},
  formula_aliases: { postgresql: 'postgresql@17' },
  formula_renames: { postgres17: 'postgresql@17' },
});

test('a formula is what the public API would say of it for the tag', () => {
  const catalogue = parsePackages(payload, 'x86_64_linux');
  const formula = parseFormula(catalogue.formula('postgresql@17'), 'x86_64_linux');
  expect(formula).toMatchObject({
    name: 'postgresql@17',
    license: 'PostgreSQL',
    stableVersion: '17.6',
    revision: 1,
    rebuild: 2,
    kegOnly: true,
    linkOverwrite: ['bin/psql'],
    oldNames: ['postgres17'],
    dependencies: ['icu4c@78', 'libxml2', 'openldap'],
    postInstall: [{ type: 'write', path: { base: 'var', path: 'a' }, content: ':escaped' }],
    service: {
      unit: 'pg',
      command: ['/home/linuxbrew/.linuxbrew/opt/postgresql@17/bin/postgres', '-D', '\\x'],
      keepAlive: true,
      workingDirectory: '/home/linuxbrew/.linuxbrew',
    },
  });
  expect([...formula.bottles]).toEqual([
    ['x86_64_linux', { digest: `sha256:${sha256}`, url: blob }],
  ]);
});

test('bottles for all machines are such, and other names lead to the formula', () => {
  const catalogue = parsePackages(payload, 'x86_64_linux');
  const certificates = parseFormula(catalogue.formula('ca-certificates'), 'x86_64_linux');
  expect([...certificates.bottles.keys()]).toEqual(['all']);
  expect(certificates.license).toBeUndefined();
  for (const name of ['postgresql', 'postgres17']) {
    expect(catalogue.formula(name)).toMatchObject({ name: 'postgresql@17' });
  }
  expect(catalogue.formula('constructor')).toBeUndefined();
  expect(catalogue.names).toEqual(['postgresql@17', 'ca-certificates']);
});

test.each(['', '[]', '{}', '{"formulae":[]}'])('%j is refused', (text) => {
  expect(() => parsePackages(text, 'arm64_linux')).toThrow(
    expect.objectContaining({
      code: 'homebrew_answer_invalid',
      message: expect.stringContaining('packages.arm64_linux'),
    }),
  );
});
