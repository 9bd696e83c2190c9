import type { CheckOutcome } from '@tapline/monitoring';
import type { Device } from '@tapline/resources';
import { stateAbove } from './judge-value.ts';

/** How a device answered through its tunnel: after how long, or why not. */
export function judgeTunnel(
  { metadata, status }: Device,
  answer: { readonly roundTripSeconds: number } | { readonly failure: string },
  limits: { readonly warning: number; readonly critical: number },
): CheckOutcome {
  const { presence } = status ?? {};
  const session = presence === undefined ? [] : [{ label: 'session', value: presence.epoch }];
  if ('failure' in answer) {
    const since =
      presence === undefined
        ? 'it has never connected'
        : `session ${presence.epoch} ${presence.connected ? 'is open' : 'ended'} since ${presence.since}`;
    const output = `${metadata.name} does not answer: ${answer.failure}; ${since}`;
    return { state: 2, output, performance: session };
  }
  const seconds = answer.roundTripSeconds;
  return {
    state: stateAbove(seconds, limits),
    output: `${metadata.name} answers within ${(seconds * 1000).toFixed(1)} ms`,
    performance: [{ label: 'rtt', value: seconds, unit: 's', ...limits, min: 0 }, ...session],
  };
}
