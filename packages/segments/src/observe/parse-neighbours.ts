import type { Neighbour } from '../state/node-state.ts';
import { deviceName } from './device-name.ts';
import { readRecords, text, texts } from './json-records.ts';

const source = 'ip -j neigh';

/** The permanent ones; what the kernel learned by itself comes and goes. */
export function parseNeighbours(output: string): readonly Neighbour[] {
  return readRecords(output, source)
    .filter((record) => texts(record, 'state', source).includes('PERMANENT'))
    .map((record) => ({
      dev: deviceName(record['dev'], source),
      address: text(record, 'dst', source),
      mac: text(record, 'lladdr', source),
    }));
}
