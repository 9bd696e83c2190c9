import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import {
  bottleTagOf,
  type Formula,
  maxImageLayers,
  parseFormula,
  planLayers,
  resolveClosure,
} from '../../packages/brew/src/index.ts';

/**
 * Plans the image of every formula with a bottle, for both platforms, and prints what came out as
 * JSON: a process of its own, so that its memory is its own.
 *
 *   node bench/brew2oci/plan-homebrew-core.ts homebrew-core.json.gz
 */
const path = process.argv[2] ?? '';

/** The data set was made without Homebrew's aliases; these two are all that dependencies use. */
const aliases: Readonly<Record<string, string>> = { python: 'python@3.14', openssl: 'openssl@3' };

const begin = performance.now();
const json: readonly unknown[] = JSON.parse(gunzipSync(readFileSync(path)).toString('utf8'));
let images = 0;
let unresolved = 0;
let overCap = 0;
let merged = 0;
let mostLayers = 0;
/** Layers as images refer to them, of formulae alone: without a bound, and with it. */
const references = { unbounded: 0, bounded: 0 };
const groups = new Map<string, { readonly formulae: number; images: number }>();
const single = new Set<string>();
const singleInBounded = new Set<string>();

for (const architecture of ['amd64', 'arm64']) {
  const tag = bottleTagOf({ os: 'linux', architecture });
  const formulae = new Map(
    json.map((item) => parseFormula(item, tag)).map((formula) => [formula.name, formula]),
  );
  const lookup = (name: string): Formula | undefined => formulae.get(aliases[name] ?? name);
  for (const formula of formulae.values()) {
    if (!formula.bottles.has(tag) && !formula.bottles.has('all')) continue;
    images += 1;
    let members;
    try {
      members = resolveClosure(formula.name, { lookup, tag });
    } catch {
      unresolved += 1;
      continue;
    }
    const layers = planLayers(
      members.map(({ formula: { name, dependencies } }) => ({
        name,
        dependencies: dependencies.flatMap((dependency) => lookup(dependency)?.name ?? []),
      })),
    );
    references.unbounded += members.length;
    references.bounded += layers.length;
    mostLayers = Math.max(mostLayers, layers.length + 1);
    if (layers.length + 1 > maxImageLayers) overCap += 1;
    if (layers.length < members.length) merged += 1;
    for (const member of members) single.add(`${tag} ${member.formula.name}`);
    for (const names of layers) {
      if (names.length === 1) singleInBounded.add(`${tag} ${names[0]}`);
      else {
        const key = `${tag} ${names.join(' ')}`;
        const group = groups.get(key) ?? { formulae: names.length, images: 0 };
        group.images += 1;
        groups.set(key, group);
      }
    }
  }
}
const inGroups = [...groups.values()].reduce((total, { formulae }) => total + formulae, 0);
process.stdout.write(
  `${JSON.stringify({
    seconds: (performance.now() - begin) / 1000,
    maxRssBytes: process.resourceUsage().maxRSS * 1024,
    images,
    unresolved,
    overCap,
    mostLayers,
    merged,
    references,
    uniqueLayers: { unbounded: single.size, bounded: singleInBounded.size + groups.size },
    groups: groups.size,
    imagesPerGroup: merged / Math.max(groups.size, 1),
    // Where all formulae were equally large: layers of one and the share of bytes that groups add.
    formulaeInGroups: inGroups,
    addedShare: (singleInBounded.size + inGroups) / single.size - 1,
  })}\n`,
);
