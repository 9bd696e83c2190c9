import type { Clock } from '@tapline/base';
import type { BlobStore } from '@tapline/registry';
import type { BottleCache } from './bottle-cache.ts';
import type { OnBuildEvent } from './build-event.ts';
import { buildFormulaLayer } from './build-formula-layer.ts';
import type { PouredKeg } from './build-link-layer.ts';
import { admitToDisk, type FreeBytes } from './disk-admission.ts';
import type { LayerCache } from './layer-cache.ts';
import type { LayerRecord } from './layer-record.ts';
import { mapConcurrently } from './map-concurrently.ts';
import type { PackagePlan, PlannedBottle } from './package-plan.ts';
import { readReceipt } from './read-receipt.ts';

export interface PourDependencies {
  readonly bottles: BottleCache;
  readonly layers: LayerCache;
  readonly store: BlobStore;
  readonly clock: Clock;
  readonly freeBytes: FreeBytes;
  /** Where bottles and layers are written: what has to have room. */
  readonly directory: string;
  /** Bottles fetched at once. */
  readonly downloads: number;
  /** Layers built at once. */
  readonly builds: number;
}

export interface PourOptions {
  readonly onEvent?: OnBuildEvent | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface PouredPackage {
  readonly kegs: readonly PouredKeg[];
  readonly fetchMs: number;
  readonly layersMs: number;
}

/** The layers of a plan: those that are known, and the others fetched and built. */
export async function pourPackage(
  deps: PourDependencies,
  plan: PackagePlan,
  options: PourOptions,
): Promise<PouredPackage> {
  const { clock, layers } = deps;
  const start = clock.monotonic();
  const known = await Promise.all(plan.bottles.map((bottle) => layers.find(bottle)));
  const missing = plan.bottles.filter((_, index) => known[index] === undefined);
  await reserve(deps, plan, missing, options);
  const paths = await mapConcurrently(
    missing,
    { limit: deps.downloads, signal: options.signal },
    (bottle, signal) => deps.bottles.fetch(bottle, { ...options, signal }),
  );
  const fetched = clock.monotonic();
  const pathOf = new Map(missing.map((bottle, index) => [bottle, paths[index]]));
  const kegs = await mapConcurrently(
    plan.bottles,
    { limit: deps.builds, signal: options.signal },
    async (bottle, signal) => {
      const begun = clock.monotonic();
      const path = pathOf.get(bottle);
      const found = known[plan.bottles.indexOf(bottle)];
      const layer = found ?? (await build(deps, bottle, { path: path ?? '', signal }));
      for (const file of layer.notRelocated) {
        options.onEvent?.({ kind: 'not-relocated', formula: bottle.formula.name, ...file });
      }
      options.onEvent?.({
        kind: 'layer',
        formula: bottle.formula.name,
        source: found === undefined ? 'built' : 'cached',
        size: layer.size,
        durationMs: clock.monotonic() - begun,
      });
      return pouredKeg(bottle, layer);
    },
  );
  return { kegs, fetchMs: fetched - start, layersMs: clock.monotonic() - fetched };
}

/** Room for what is fetched, and for layers about as large as their bottles. */
async function reserve(
  deps: PourDependencies,
  plan: PackagePlan,
  missing: readonly PlannedBottle[],
  options: PourOptions,
): Promise<void> {
  let downloadBytes = 0;
  let layerBytes = 0;
  await mapConcurrently(missing, { limit: 8, signal: options.signal }, async (bottle, signal) => {
    const size = await deps.bottles.sizeOf(bottle, { signal });
    layerBytes += size;
    if ((await deps.bottles.find(bottle.digest)) === undefined) downloadBytes += size;
  });
  await admitToDisk(deps.freeBytes, {
    directory: deps.directory,
    neededBytes: downloadBytes + Math.ceil(layerBytes * layerGrowth),
    purpose: `building ${plan.root.formula.name}`,
  });
  options.onEvent?.({
    kind: 'planned',
    tag: plan.tag,
    formulae: plan.bottles.map((bottle) => bottle.formula.name),
    downloadBytes,
  });
}

/** Layers of bottles that a better compressor made are a little larger than those. */
const layerGrowth = 1.1;

async function build(
  deps: PourDependencies,
  bottle: PlannedBottle,
  { path, signal }: { readonly path: string; readonly signal: AbortSignal },
): Promise<LayerRecord> {
  const formula = bottle.formula.name;
  const tab = bottle.tab ?? (await readReceipt(path, { formula, signal }));
  const record = await buildFormulaLayer(deps.store, {
    formula,
    pkgVersion: bottle.pkgVersion,
    dependencies: tab.runtimeDependencies?.map(({ name }) => name) ?? bottle.formula.dependencies,
    tab,
    bottlePath: path,
    signal,
  });
  await deps.layers.save(bottle, record);
  return record;
}

function pouredKeg({ formula, pkgVersion }: PlannedBottle, layer: LayerRecord): PouredKeg {
  return {
    name: formula.name,
    pkgVersion,
    kegOnly: formula.kegOnly,
    aliases: [...formula.aliases, ...formula.oldNames],
    linkOverwrite: formula.linkOverwrite,
    entries: layer.entries,
    layer,
  };
}
