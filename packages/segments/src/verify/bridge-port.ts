import type { LinkState } from '../state/node-state.ts';

/** Not back out of the port that a frame came in by, and not from isolated to isolated. */
export function crosses(from: LinkState, to: LinkState): boolean {
  if (from.name === to.name) return to.bridgePort?.hairpin === true;
  return !(from.bridgePort?.isolated === true && to.bridgePort?.isolated === true);
}
