/** What of two lists is to go and what is to come, by a text that says all of an entry. */
export function listDifference<T>(
  desired: readonly T[],
  observed: readonly T[],
  keyOf: (entry: T) => string,
): { readonly removed: readonly T[]; readonly added: readonly T[] } {
  const wanted = new Map(desired.map((entry) => [keyOf(entry), entry]));
  const removed: T[] = [];
  for (const entry of observed) {
    // What is there twice is once as wanted.
    if (!wanted.delete(keyOf(entry))) removed.push(entry);
  }
  return { removed, added: [...wanted.values()] };
}
