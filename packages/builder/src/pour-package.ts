import type { Clock } from '@tapline/base';
import type { BottleCache } from './bottle-cache.ts';
import type { OnBuildEvent } from './build-event.ts';
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
  /** When the last bottle was there, by the clock's monotonic time. */
  readonly fetched: number;
  /** When the last layer was built; most are built while others are fetched. */
  readonly poured: number;
}

/** A plan, and what there is of it already. */
export interface MeasuredPour {
  readonly plan: PackagePlan;
  readonly known: readonly (LayerRecord | undefined)[];
  /** Of each bottle, 0 where nobody says. */
  readonly sizes: readonly number[];
  readonly downloadBytes: number;
  readonly layerBytes: number;
}

/** Asks the caches and the mirror; nothing is fetched and nothing written. */
export async function measurePour(
  deps: PourDependencies,
  plan: PackagePlan,
  { sink, signal }: PourOptions,
): Promise<MeasuredPour> {
  let downloadBytes = 0;
  let layerBytes = 0;
  const known = await Promise.all(
    plan.bottles.map((bottle) => deps.layers.find(bottle, sink.compression)),
  );
  const sizes = await mapConcurrently(
    [...plan.bottles.entries()],
    { limit: 8, signal },
    async ([index, bottle], stop) => {
      if (known[index] !== undefined) return 0;
      const size = await deps.bottles.sizeOf(bottle, { signal: stop });
      layerBytes += size;
      if ((await deps.bottles.find(bottle.digest)) === undefined) downloadBytes += size;
      return size;
    },
  );
  return { plan, known, sizes, downloadBytes, layerBytes };
}

/** Throws `disk_full` unless there is room for what is fetched, and for layers about as large. */
export async function reserveDisk(
  deps: PourDependencies,
  measured: readonly MeasuredPour[],
): Promise<void> {
  const sum = (pick: (pour: MeasuredPour) => number): number =>
    measured.reduce((total, pour) => total + pick(pour), 0);
  await admitToDisk(deps.freeBytes, {
    directory: deps.directory,
    neededBytes:
      sum(({ downloadBytes }) => downloadBytes) +
      Math.ceil(sum(({ layerBytes }) => layerBytes) * layerGrowth),
    purpose: `building ${measured[0]?.plan.root.formula.name ?? 'nothing'}`,
  });
}

/** The layers of a plan: those that are known, and the others fetched and built. */
export async function pourPackage(
  deps: PourDependencies,
  { plan, known, sizes, downloadBytes }: MeasuredPour,
  options: PourOptions,
): Promise<PouredPackage> {
  const { clock } = deps;
  options.onEvent?.({
    kind: 'planned',
    tag: plan.tag,
    formulae: plan.bottles.map((bottle) => bottle.formula.name),
    downloadBytes,
  });
  let fetched = clock.monotonic();
  const whenDownloadsAllow = createLimiter(deps.downloads);
  const whenBuildsAllow = createLimiter(deps.builds);
  async function pour(bottle: PlannedBottle, signal: AbortSignal): Promise<LayerRecord> {
    const path = await whenDownloadsAllow(() =>
      deps.bottles.fetch(bottle, { onEvent: options.onEvent, signal }),
    );
    fetched = clock.monotonic();
    return whenBuildsAllow(() => build(deps, { bottle, path }, { ...options, signal }));
  }
  // The largest first: what takes longest is not what all others wait for at the end.
  const order = [...plan.bottles.entries()].toSorted(
    ([a], [b]) => (sizes[b] ?? 0) - (sizes[a] ?? 0) || a - b,
  );
  const poured = await mapConcurrently(
    order,
    { limit: plan.bottles.length, signal: options.signal },
    async ([index, bottle], signal) => {
      const found = known[index];
      if (found === undefined) return pouredKeg(bottle, await pour(bottle, signal));
      report(bottle, found, { source: 'cached', durationMs: 0 }, options);
      return pouredKeg(bottle, found);
    },
  );
  const kegs = new Map(order.map(([index], at) => [index, poured[at]]));
  return {
    kegs: plan.bottles.flatMap((_, index) => kegs.get(index) ?? []),
    fetched,
    poured: clock.monotonic(),
  };
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

/** Layers may be a little larger than bottles that a better compressor made. */
const layerGrowth = 1.1;

async function build(
  deps: PourDependencies,
  { bottle, path }: { readonly bottle: PlannedBottle; readonly path: string },
  options: PourOptions & { readonly signal: AbortSignal },
): Promise<LayerRecord> {
  const { layers, clock } = deps;
  const { sink, signal } = options;
  return await layers.exclusively(bottle, sink.compression, async () => {
    signal.throwIfAborted();
    // Another build, or another platform, may have made it meanwhile.
    const found = await layers.find(bottle, sink.compression);
    if (found !== undefined) {
      report(bottle, found, { source: 'cached', durationMs: 0 }, options);
      return found;
    }
    const begun = clock.monotonic();
    const formula = bottle.formula.name;
    const tab = bottle.tab ?? (await readReceipt(path, { formula, signal }));
    const dependencies =
      tab.runtimeDependencies?.map(({ name }) => name) ?? bottle.formula.dependencies;
    const { pkgVersion } = bottle;
    const keg = { formula, pkgVersion, dependencies, tab, bottlePath: path };
    const record = await sink.pour(keg, { signal });
    await layers.save(bottle, { compression: sink.compression, record });
    const durationMs = clock.monotonic() - begun;
    report(bottle, record, { source: 'built', durationMs }, options);
    return record;
  });
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
