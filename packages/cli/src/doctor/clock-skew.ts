import type { PathObservation } from './path-observation.ts';

/** HTTP's Date is cut to a second: on average half a second is missing. */
const dateStepMs = 1000;

/** This machine's clock minus the control plane's; 0 where that is not known. */
export function clockSkewMs({ clock }: Pick<PathObservation, 'clock'>): number {
  if (clock === undefined) return 0;
  const middleMs = (clock.sentMs + clock.receivedMs) / 2;
  return Math.round(middleMs - (clock.serverMs + dateStepMs / 2));
}
