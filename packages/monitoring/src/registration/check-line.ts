import { icingaText } from '../icinga/icinga-text.ts';
import type { CheckOutcome } from './monitored-host.ts';
import { performanceText } from './performance-text.ts';

const states = ['OK', 'WARNING', 'CRITICAL', 'UNKNOWN'] as const;

/** What a plugin prints, as the Monitoring Plugins Guidelines have it: `STATE: text | performance`. */
export function checkLine({ state, output, performance = [] }: CheckOutcome): string {
  const values = performance.map(performanceText);
  const text = `${states[state]}: ${icingaText(output)}`;
  return `${text}${values.length === 0 ? '' : ` | ${values.join(' ')}`}\n`;
}
