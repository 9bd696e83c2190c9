import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { type BottleTag, bottleTags } from './bottle-tag.ts';
import type { Formula } from './formula.ts';
import { parseFormula } from './parse-formula.ts';
import { resolveClosure } from './resolve-closure.ts';

// Homebrew/homebrew-core (August 2026), BSD-2-Clause, in the shape of the formula API.
const data = new URL('../../../../shared/data/homebrew-core.json.gz', import.meta.url);

const sample = new URL('../../../../shared/data/formula-api-sample.json', import.meta.url);

/** The data set was made without Homebrew's aliases; these two are all that dependencies use. */
const aliases: Readonly<Record<string, string>> = { python: 'python@3.14', openssl: 'openssl@3' };

const isThere = existsSync(data) && existsSync(sample);
const reason = isThere ? '' : ' (skipped: shared/data is not here)';

describe.skipIf(!isThere)(`all of homebrew-core${reason}`, () => {
  const bottled: Readonly<Record<BottleTag, number>> = { x86_64_linux: 8405, arm64_linux: 8379 };

  test.each(bottleTags)('every formula with a bottle for %s has a closure', (tag) => {
    const json: readonly unknown[] = JSON.parse(gunzipSync(readFileSync(data)).toString('utf8'));
    const formulae = new Map(
      json.map((item) => parseFormula(item, tag)).map((formula) => [formula.name, formula]),
    );
    const lookup = (name: string): Formula | undefined => formulae.get(aliases[name] ?? name);
    let count = 0;
    const unresolved: string[] = [];
    for (const formula of formulae.values()) {
      if (!formula.bottles.has(tag) && !formula.bottles.has('all')) continue;
      count += 1;
      try {
        const order = resolveClosure(formula.name, { lookup, tag });
        const seen = new Set<string>();
        for (const member of order) {
          for (const dependency of member.formula.dependencies) {
            const name = lookup(dependency)?.name ?? dependency;
            if (!seen.has(name)) unresolved.push(`${formula.name}: ${name} is not before`);
          }
          seen.add(member.formula.name);
        }
        if (!seen.has('glibc')) unresolved.push(`${formula.name}: no glibc`);
      } catch (error) {
        unresolved.push(`${formula.name}: ${String(error)}`);
      }
    }
    expect(unresolved).toEqual([]);
    expect(count).toBe(bottled[tag]);
  });
});

describe.skipIf(!isThere)(`a formula as the public API served it in 2022${reason}`, () => {
  test('is read', () => {
    const formula = parseFormula(JSON.parse(readFileSync(sample, 'utf8')), 'x86_64_linux');
    expect(formula).toMatchObject({
      name: 'actionlint',
      stableVersion: '1.6.10',
      license: 'MIT',
      dependencies: [],
      oldNames: [],
    });
    expect([...formula.bottles.keys()]).toEqual(['arm64_monterey', 'x86_64_linux']);
  });
});
