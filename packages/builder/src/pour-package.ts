import type { Clock } from '@tapline/base';
import type { BottleCache } from './bottle-cache.ts';
import type { OnBuildEvent } from './build-event.ts';
import { buildFormulaLayer } from './build-formula-layer.ts';
import type { PouredKeg } from './build-link-layer.ts';
import { createLimiter } from './create-limiter.ts';
import { admitToDisk, type FreeBytes } from './disk-admission.ts';
import type { LayerCache } from './layer-cache.ts';
import type { LayerRecord } from './layer-record.ts';
import type { LayerSink } from './layer-sink.ts';
import { mapConcurrently } from './map-concurrently.ts';
import type { PackagePlan, PlannedBottle } from './package-plan.ts';
import { readReceipt } from './read-receipt.ts';

export interface PourDependencies {
  readonly bottles: BottleCache;
  readonly layers: LayerCache;
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
  readonly sink: LayerSink;
  readonly onEvent?: OnBuildEvent | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface PouredPackage {
  readonly kegs: readonly PouredKeg[];
  /** Until the last bottle was there. */
  readonly fetchMs: number;
  /** From then until the last layer was built; most are built while others are fetched. */
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
  const known = await Promise.all(
    plan.bottles.map((bottle) => layers.find(bottle, options.sink.compression)),
  );
  const missing = plan.bottles.filter((_, index) => known[index] === undefined);
  await reserve(deps, plan, missing, options);

  let fetched = clock.monotonic();
  const whenDownloadsAllow = createLimiter(deps.downloads);
  const whenBuildsAllow = createLimiter(deps.builds);
  async function pour(bottle: PlannedBottle, signal: AbortSignal): Promise<LayerRecord> {
    const path = await whenDownloadsAllow(() =>
      deps.bottles.fetch(bottle, { onEvent: options.onEvent, signal }),
    );
    fetched = clock.monotonic();
    return whenBuildsAllow(async () => {
      signal.throwIfAborted();
      const begun = clock.monotonic();
      const layer = await build(deps, bottle, { path, sink: options.sink, signal });
      const durationMs = clock.monotonic() - begun;
      report(bottle, layer, { source: 'built', durationMs }, options);
      return layer;
    });
  }
  const poured = await mapConcurrently(
    [...plan.bottles.entries()],
    { limit: plan.bottles.length, signal: options.signal },
    async ([index, bottle], signal) => {
      const found = known[index];
      if (found === undefined) return pouredKeg(bottle, await pour(bottle, signal));
      report(bottle, found, { source: 'cached', durationMs: 0 }, options);
      return pouredKeg(bottle, found);
    },
  );
  return { kegs: poured, fetchMs: fetched - start, layersMs: clock.monotonic() - fetched };
}

function report(
  { formula: { name } }: PlannedBottle,
  layer: LayerRecord,
  made: { readonly source: 'built' | 'cached'; readonly durationMs: number },
  { onEvent }: Pick<PourOptions, 'onEvent'>,
): void {
  for (const file of layer.notRelocated) {
    onEvent?.({ kind: 'not-relocated', formula: name, ...file });
  }
  onEvent?.({ kind: 'layer', formula: name, size: layer.size, ...made });
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
  {
    path,
    sink,
    signal,
  }: { readonly path: string; readonly sink: LayerSink; readonly signal: AbortSignal },
): Promise<LayerRecord> {
  const formula = bottle.formula.name;
  const tab = bottle.tab ?? (await readReceipt(path, { formula, signal }));
  const record = await buildFormulaLayer(sink, {
    formula,
    pkgVersion: bottle.pkgVersion,
    dependencies: tab.runtimeDependencies?.map(({ name }) => name) ?? bottle.formula.dependencies,
    tab,
    bottlePath: path,
    signal,
  });
  await deps.layers.save(bottle, { compression: sink.compression, record });
  return record;
}

function pouredKeg({ formula, pkgVersion }: PlannedBottle, layer: LayerRecord): PouredKeg {
  return {
    name: formula.name,
    pkgVersion,
    kegOnly: formula.kegOnly,
    aliases: [...formula.aliases, ...formula.oldNames],
    linkOverwrite: formula.linkOverwrite,
    postInstall: formula.postInstall,
    version: formula.stableVersion ?? pkgVersion,
    entries: layer.entries,
    layer,
  };
}
