import { createHash } from 'node:crypto';

/** Something to have in caches before it is asked for. */
export interface PrimeObject {
  readonly path: string;
  /** Bytes sent ÷ its size. */
  readonly popularity: number;
}

/**
 * What each edge is primed with: the most popular is on every one, the rest on as many as its
 * popularity is a part of that, and on one at least. Which ones is decided by rendezvous hashing, so
 * that an edge that comes or goes moves only what is its own.
 */
export function shareObjects(
  objects: readonly PrimeObject[],
  edges: readonly string[],
): ReadonlyMap<string, readonly string[]> {
  const shares = new Map<string, string[]>(edges.map((edge) => [edge, []]));
  const most = Math.max(...objects.map(({ popularity }) => popularity), Number.MIN_VALUE);
  for (const { path, popularity } of objects.toSorted((a, b) => b.popularity - a.popularity)) {
    const copies = Math.max(1, Math.ceil((edges.length * popularity) / most));
    for (const edge of rank(path, edges).slice(0, copies)) shares.get(edge)?.push(path);
  }
  return shares;
}

function rank(path: string, edges: readonly string[]): readonly string[] {
  return edges
    .map((edge) => ({
      edge,
      weight: createHash('sha256').update(`${edge} ${path}`).digest('hex'),
    }))
    .toSorted((one, other) => (one.weight < other.weight ? 1 : -1))
    .map(({ edge }) => edge);
}
