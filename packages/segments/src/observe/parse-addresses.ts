import type { LinkAddress } from '../state/node-state.ts';
import { deviceName } from './device-name.ts';
import { number, readRecords, recordsOf, text } from './json-records.ts';

const source = 'ip -j address';

export function parseAddresses(output: string): readonly LinkAddress[] {
  return readRecords(output, source).flatMap((record) => {
    const dev = deviceName(record['ifname'], source);
    return recordsOf(record['addr_info'] ?? [], source)
      .filter((entry) => Object.keys(entry).length > 0)
      .map((entry) => ({
        dev,
        address: text(entry, 'local', source),
        prefixLength: number(entry, 'prefixlen', source),
      }));
  });
}
