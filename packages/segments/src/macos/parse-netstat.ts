import { assertLength } from '../observe/json-records.ts';
import type { MacRoute } from './mac-state.ts';

const source = 'netstat -rn';

/**
 * Reads routes of single hosts from `netstat -rn` as macOS prints it. Networks are shortened there
 * (`10/8`) and are never ours, so they are left out.
 */
export function parseNetstat(output: string): readonly MacRoute[] {
  assertLength(output, source);
  const routes: MacRoute[] = [];
  let column = -1;
  for (const line of output.split('\n')) {
    const words = line.trim().split(/\s+/);
    if (words[0] === 'Destination') column = words.indexOf('Netif');
    const [destination = '', , flags = ''] = words;
    const device = column < 0 ? undefined : words[column];
    if (device === undefined || !/^[0-9a-f.:]+$/i.test(destination)) continue;
    if (flags.includes('H')) routes.push({ destination, device });
  }
  return routes;
}
