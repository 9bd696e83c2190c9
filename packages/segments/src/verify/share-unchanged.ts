import type { NodeState } from '../state/node-state.ts';

/**
 * The newer of two states, with the older one's lists where they say the same: what was worked out
 * of those holds, and comparing them takes a fraction of the time.
 */
export function shareUnchanged(before: NodeState, after: NodeState): NodeState {
  const shared: Record<string, unknown> = { ...after };
  let changed = false;
  for (const key of Object.keys(shared)) {
    const old = before[key as keyof NodeState];
    if (old !== undefined && isSame(old, shared[key])) shared[key] = old;
    else changed = true;
  }
  if (!changed && Object.keys(before).length === Object.keys(shared).length) return before;
  return shared as unknown as NodeState;
}

/** Of values that JSON has. */
function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false;
    for (let at = 0; at < a.length; at += 1) if (!isSame(a[at], b[at])) return false;
    return true;
  }
  if (Array.isArray(b)) return false;
  const [left, right] = [a, b] as Readonly<Record<string, unknown>>[];
  let count = 0;
  for (const key in left) {
    count += 1;
    if (!isSame(left[key], right?.[key])) return false;
  }
  for (const _ in right) count -= 1;
  return count === 0;
}
