import type { Platform } from '@tapline/oci';
import type { BottleCache } from './bottle-cache.ts';
import type { Compression } from './compression.ts';
import { layerMembers } from './layer-members.ts';
import { planLayers } from '@tapline/brew';
import type { LayerCache } from './layer-cache.ts';
import type { LayerRecord } from './layer-record.ts';
import { mapConcurrently } from './map-concurrently.ts';
import type { PackagePlan, PlannedBottle } from './package-plan.ts';

/** What building would do about one formula. */
export interface PlannedLayer {
  readonly formula: string;
  readonly version: string;
  /** `reuse` a layer that is there, `build` it of a bottle that is there, or `fetch` that first. */
  readonly action: 'reuse' | 'build' | 'fetch';
  /** Of the layer that is reused, otherwise of its bottle; undefined where nobody says. */
  readonly bytes: number | undefined;
}

/** What building would do for one platform. */
export interface PlannedPlatform {
  readonly platform: Platform;
  readonly version: string;
  readonly layers: readonly PlannedLayer[];
  /** Layers of the image, with that of its links. */
  readonly layerCount: number;
  /** Formulae that would share a layer. */
  readonly merged: readonly (readonly string[])[];
  readonly reuseBytes: number;
  readonly buildBytes: number;
  readonly fetchBytes: number;
}

/** Compares a plan with what is there; nothing is fetched and nothing written. */
export async function planPlatform(
  deps: { readonly bottles: BottleCache; readonly layers: LayerCache },
  plan: PackagePlan,
  options: {
    readonly platform: Platform;
    readonly compression: Compression;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<PlannedPlatform> {
  const layers = await mapConcurrently(
    plan.bottles,
    { limit: 8, signal: options.signal },
    async (bottle, signal) => {
      const known = await deps.layers.find(bottle, options.compression);
      return await planLayer(deps.bottles, { bottle, known }, signal);
    },
  );
  const groups = planLayers(layerMembers(plan));
  const sum = (action: PlannedLayer['action']): number =>
    layers.reduce((total, layer) => total + (layer.action === action ? (layer.bytes ?? 0) : 0), 0);
  return {
    platform: options.platform,
    version: plan.root.pkgVersion,
    layers,
    layerCount: groups.length + 1,
    merged: groups.filter((group) => group.length > 1),
    reuseBytes: sum('reuse'),
    buildBytes: sum('build'),
    fetchBytes: sum('fetch'),
  };
}

async function planLayer(
  bottles: BottleCache,
  { bottle, known }: { readonly bottle: PlannedBottle; readonly known: LayerRecord | undefined },
  signal: AbortSignal,
): Promise<PlannedLayer> {
  const named = { formula: bottle.formula.name, version: bottle.pkgVersion };
  if (known !== undefined) return { ...named, action: 'reuse', bytes: known.size };
  const size = await bottles.sizeOf(bottle, { signal });
  const isHere = (await bottles.find(bottle.digest)) !== undefined;
  const bytes = size === 0 ? undefined : size;
  return { ...named, action: isHere ? 'build' : 'fetch', bytes };
}
