/** What stands under the key of a target whose responses vary: by which fields, the latest first. */
export interface VariantMarker {
  readonly kind: 'variants';
  readonly key: string;
  readonly lists: readonly (readonly string[])[];
}

/** Lists of names that are remembered for one target; an origin that has more is misused. */
const maxLists = 4;

/** The marker with these names first; the same one where they are already. */
export function markerWith(
  marker: VariantMarker | undefined,
  key: string,
  names: readonly string[],
): VariantMarker {
  const text = names.join();
  if (marker !== undefined && marker.lists[0]?.join() === text) return marker;
  const others = (marker?.lists ?? []).filter((list) => list.join() !== text);
  return { kind: 'variants', key, lists: [names, ...others].slice(0, maxLists) };
}

/** Undefined for what is none. */
export function parseVariantMarker(
  value: Readonly<Record<string, unknown>>,
): VariantMarker | undefined {
  const { key, lists } = value;
  if (typeof key !== 'string' || !Array.isArray(lists)) return undefined;
  if (!lists.every((list) => isTexts(list))) return undefined;
  return { kind: 'variants', key, lists };
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}
