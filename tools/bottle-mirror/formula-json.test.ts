import { expect, test } from 'vitest';

import type { Bottle } from './bottle.ts';
import { readFormulaFacts } from './formula-facts.ts';
import { formulaJson } from './formula-json.ts';
import type { FormulaPlan } from './plan-formulae.ts';
import type { PlatformTag } from './platform.ts';

const facts = await readFormulaFacts();

function bottle(formula: string, platform: PlatformTag, dependencies: readonly string[]): Bottle {
  return {
    formula,
    platform,
    dependencies,
    tag: platform,
    pkgVersion: '1.0',
    registryTag: '1.0',
    path: '',
    sha256: 'ab'.repeat(32),
    sizeBytes: 1,
    tarSha256: '',
    installedBytes: 1,
    sonames: [],
    changedFiles: [],
    pathExecFiles: [],
    modifiedTime: 0,
    suite: 'bookworm',
    glibcVersion: '2.36',
  };
}

function plan(name: string): FormulaPlan {
  const entry = { name, packages: [] };
  return { entry, version: '1.0', suite: 'bookworm', packages: [], candidates: [] };
}

test('what only Linux has is a variation of both platforms', () => {
  const libraries = ['acl', 'attr', 'glibc', 'gmp', 'libselinux'];
  const bottles = [
    bottle('coreutils', 'x86_64_linux', libraries),
    bottle('coreutils', 'arm64_linux', libraries),
  ];
  const json = formulaJson(plan('coreutils'), bottles, facts);
  const onLinux = { dependencies: ['acl', 'attr', 'gmp', 'libselinux'] };
  expect(json['dependencies']).toEqual(['gmp']);
  expect(json['variations']).toEqual({ x86_64_linux: onLinux, arm64_linux: onLinux });
});

test('what macOS supplies is in uses_from_macos, the rest in dependencies', () => {
  const libraries = ['curl', 'expat', 'gcc', 'glibc', 'pcre2', 'zlib'];
  const json = formulaJson(plan('git'), [bottle('git', 'x86_64_linux', libraries)], facts);
  expect(json['uses_from_macos']).toEqual(['curl', 'expat', 'zlib']);
  expect(json['dependencies']).toEqual(['pcre2']);
  expect(json['variations']).toEqual({});
});

test("a URL has ghcr.io's shape", () => {
  const json = formulaJson(plan('openssl@3'), [bottle('openssl@3', 'arm64_linux', [])], facts);
  expect(json).toMatchObject({
    keg_only: false,
    bottle: {
      stable: {
        files: {
          arm64_linux: {
            url: `https://ghcr.io/v2/homebrew/core/openssl/3/blobs/sha256:${'ab'.repeat(32)}`,
          },
        },
      },
    },
  });
});

test('without bottles there is no stable bottle', () => {
  const json = formulaJson(plan('sqlite'), [], facts);
  expect(json).toMatchObject({ keg_only: true, versions: { bottle: false }, bottle: {} });
});
