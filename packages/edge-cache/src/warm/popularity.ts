/** One answer that players got. */
export interface ServedObject {
  readonly path: string;
  readonly bytes: number;
}

/** Something of a channel with how much it is asked for, as against its size. */
export interface RankedObject {
  readonly path: string;
  /** Bytes sent ÷ its size: how often the whole of it went out. */
  readonly popularity: number;
}

/**
 * What to have in caches first. The size of an object is what its largest answer had: ranges and
 * broken answers are parts of it. What went out of several equally often is in the order of names.
 */
export function rankByPopularity(
  served: Iterable<ServedObject>,
  { most = 5000 }: { readonly most?: number } = {},
): readonly RankedObject[] {
  const objects = new Map<string, { bytes: number; size: number }>();
  for (const { path, bytes } of served) {
    const known = objects.get(path);
    if (known === undefined) objects.set(path, { bytes, size: bytes });
    else {
      known.bytes += bytes;
      known.size = Math.max(known.size, bytes);
    }
  }
  return [...objects]
    .filter(([, { size }]) => size > 0)
    .map(([path, { bytes, size }]) => ({
      path,
      popularity: Math.round((bytes / size) * 1000) / 1000,
    }))
    .toSorted((a, b) => b.popularity - a.popularity || (a.path < b.path ? -1 : 1))
    .slice(0, most);
}
