import type { VniRange } from '../state/node-state.ts';
import { deviceName } from './device-name.ts';
import { number, optionalNumber, readRecords, recordsOf } from './json-records.ts';

const source = 'bridge -j vni';

export function parseVnis(output: string): readonly VniRange[] {
  return readRecords(output, source).flatMap((record) => {
    const dev = deviceName(record['ifname'], source);
    return recordsOf(record['vnis'] ?? [], source).map((entry) => {
      const first = number(entry, 'vni', source);
      return { dev, first, last: optionalNumber(entry, 'vniEnd', source) ?? first };
    });
  });
}
