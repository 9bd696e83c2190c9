import { expect, test } from 'vitest';

import type { AptRoot } from '../debian/apt-root.ts';
import type { DebianPackage } from '../debian/debian-package.ts';
import { pkgVersion, planFormulae, registryTag } from './plan-formulae.ts';

function item(
  name: string,
  source: string,
  depends: readonly string[],
  section = 'libs',
): DebianPackage {
  return {
    name,
    source,
    section,
    version: '1:2.0+dfsg-1',
    architecture: 'amd64',
    depends: depends.map((dependency) => [dependency]),
    description: '',
    homepage: undefined,
    sha256: name,
    sizeBytes: 1,
    poolPath: '',
  };
}

function rootOf(packages: readonly DebianPackage[]): AptRoot {
  return {
    suite: 'bookworm',
    architecture: 'amd64',
    show: async (names) => packages.filter(({ name }) => names.includes(name)),
    download: async () => [],
  };
}

const packages = [
  item('jq', 'jq', ['libjq1', 'perl'], 'utils'),
  item('libjq1', 'jq', ['libonig5', 'libc6']),
  item('libonig5', 'libonig', ['libc6']),
  item('libc6', 'glibc', ['libgcc-s1']),
  item('libgcc-s1', 'gcc-12', ['libc6']),
  item('perl', 'perl', ['libperl'], 'perl'),
];

test('libraries become formulae named for their source; programs do not', async () => {
  const entries = [{ name: 'jq', packages: ['jq'], revision: 1, rebuild: 2 }];
  const plans = await planFormulae(rootOf(packages), entries);
  expect([...plans.keys()]).toEqual(['glibc', 'jq', 'oniguruma']);
  const jq = plans.get('jq');
  expect(jq?.packages.map(({ name }) => name)).toEqual(['jq', 'libjq1']);
  expect(jq?.candidates).toEqual(['glibc', 'oniguruma']);
  expect(jq && [jq.version, pkgVersion(jq), registryTag(jq)]).toEqual(['2.0', '2.0_1', '2.0_1-2']);
  expect(plans.get('glibc')?.candidates).toEqual([]);
});

test('names a package that the suite lacks', async () => {
  const planning = planFormulae(rootOf(packages), [{ name: 'x', packages: ['jq', 'jqx'] }]);
  await expect(planning).rejects.toMatchObject({
    code: 'package_unknown',
    message: 'Debian bookworm (amd64) has no package jqx for formula x',
  });
});
