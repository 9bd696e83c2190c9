// Makes formula-facts.json: node tools/bottle-mirror/update-formula-facts.ts homebrew-core.json.gz
import { readFile, writeFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';

import { openAptRoot } from '../debian/apt-root.ts';
import { catalogue } from './catalogue.ts';
import type { FormulaFacts } from './formula-facts.ts';
import { planFormulae } from './plan-formulae.ts';

interface CoreFormula {
  readonly name: string;
  readonly desc: string | null;
  readonly license: string | null;
  readonly homepage: string | null;
  readonly keg_only: boolean;
  readonly link_overwrite: boolean;
  readonly dependencies: readonly string[];
  readonly uses_from_macos: readonly string[];
  readonly bottle: { readonly stable?: { readonly files: Record<string, unknown> } };
}

const source = process.argv[2];
if (source === undefined)
  throw new TypeError('usage: update-formula-facts.ts homebrew-core.json.gz');
const core = JSON.parse(gunzipSync(await readFile(source)).toString()) as readonly CoreFormula[];
const supplied = new Set(core.flatMap((formula) => formula.uses_from_macos));
// Homebrew moved its formulae from zlib to zlib-ng-compat on Linux; Debian has zlib itself.
supplied.add('zlib');
const root = await openAptRoot({ suite: 'bookworm', architecture: 'amd64' });
const plans = await planFormulae(root, catalogue);
const formulae: Record<string, FormulaFacts> = {};
for (const formula of core.filter(({ name }) => plans.has(name))) {
  const tags = Object.keys(formula.bottle.stable?.files ?? {});
  formulae[formula.name] = {
    desc: formula.desc,
    license: formula.license,
    homepage: formula.homepage,
    kegOnly: formula.keg_only,
    linkOverwrite: formula.link_overwrite,
    dependencies: formula.dependencies,
    usesFromMacos: formula.uses_from_macos,
    linuxOnly: tags.every((tag) => tag.endsWith('_linux')),
    suppliedByMacos: supplied.has(formula.name),
  };
}
const attribution = 'Derived from Homebrew/homebrew-core (August 2026), BSD-2-Clause.';
const target = new URL('formula-facts.json', import.meta.url);
await writeFile(target, `${JSON.stringify({ attribution, formulae }, undefined, 2)}\n`);
