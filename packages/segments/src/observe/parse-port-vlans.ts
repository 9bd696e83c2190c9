import type { PortVlan } from '../state/node-state.ts';
import { deviceName } from './device-name.ts';
import {
  malformed,
  number,
  optionalNumber,
  readRecords,
  recordsOf,
  texts,
} from './json-records.ts';

const source = 'bridge -j vlan';
const lastVlan = 4094;

/** One entry for each VLAN of each port; the program prints ranges of those with the same flags. */
export function parsePortVlans(output: string): readonly PortVlan[] {
  return readRecords(output, source).flatMap((record) => {
    const dev = deviceName(record['ifname'], source);
    return recordsOf(record['vlans'] ?? [], source).flatMap((entry) => {
      const first = number(entry, 'vlan', source);
      const last = optionalNumber(entry, 'vlanEnd', source) ?? first;
      if (last < first || last > lastVlan) {
        throw malformed(source, `VLANs ${first} to ${last} are not within 1 to ${lastVlan}`);
      }
      const flags = entry['flags'] === undefined ? [] : texts(entry, 'flags', source);
      const pvid = flags.includes('PVID');
      const untagged = flags.includes('Egress Untagged');
      return Array.from({ length: last - first + 1 }, (_, offset) => ({
        dev,
        vlan: first + offset,
        pvid,
        untagged,
      }));
    });
  });
}
