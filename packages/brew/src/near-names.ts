/** Up to `limit` of `names` that `wanted` may be a slip for, nearest first. */
export function nearNames(
  wanted: string,
  names: Iterable<string>,
  limit: number = 3,
): readonly string[] {
  const most = wanted.length <= 4 ? 1 : 2;
  const scored: { readonly name: string; readonly distance: number }[] = [];
  for (const name of names) {
    const isVersion = name.startsWith(`${wanted}@`);
    const distance = isVersion ? 0.5 : editDistance(wanted, name, most);
    if (distance <= most) scored.push({ name, distance });
  }
  return scored
    .toSorted((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
    .slice(0, limit)
    .map(({ name }) => name);
}

/** Insertions, deletions, substitutions and swaps of neighbours between `a` and `b`, up to `most`. */
function editDistance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return Infinity;
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1] ? 0 : 1;
      let cost = Math.min(
        at(previous, column) + 1,
        at(current, column - 1) + 1,
        at(previous, column - 1) + same,
      );
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        cost = Math.min(cost, at(before, column - 2) + 1);
      }
      current.push(cost);
    }
    if (Math.min(...current) > most) return Infinity;
    before = previous;
    previous = current;
  }
  return at(previous, b.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Infinity;
}
