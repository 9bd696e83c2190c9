/** What is compared at once; a file is edited in few places. */
const stepBytes = 4096;

/** Cuts `after` into runs that `before` has at the same place, and others. */
export function* sameRuns(
  before: Uint8Array,
  after: Uint8Array,
): Generator<{ readonly from: number; readonly to: number; readonly isSame: boolean }, void> {
  let from = 0;
  let isSame = true;
  for (let at = 0; at < after.length; at += stepBytes) {
    const to = Math.min(at + stepBytes, after.length);
    const same =
      to <= before.length && Buffer.compare(before.subarray(at, to), after.subarray(at, to)) === 0;
    if (same === isSame) continue;
    if (at > from) yield { from, to: at, isSame };
    from = at;
    isSame = same;
  }
  if (after.length > from) yield { from, to: after.length, isSame };
}
