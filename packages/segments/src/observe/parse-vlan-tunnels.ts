import type { VlanTunnel } from '../state/node-state.ts';
import { deviceName } from './device-name.ts';
import { malformed, number, optionalNumber, readRecords, recordsOf } from './json-records.ts';

const source = 'bridge -j vlan tunnelshow';
const lastVlan = 4094;

/** One entry for each VLAN; the program prints ranges, whose VNIs go up with the VLANs. */
export function parseVlanTunnels(output: string): readonly VlanTunnel[] {
  return readRecords(output, source).flatMap((record) => {
    const dev = deviceName(record['ifname'], source);
    return recordsOf(record['tunnels'] ?? [], source).flatMap((entry) => {
      const first = number(entry, 'vlan', source);
      const last = optionalNumber(entry, 'vlanEnd', source) ?? first;
      const vni = number(entry, 'tunid', source);
      if (last < first || last > lastVlan) {
        throw malformed(source, `VLANs ${first} to ${last} are not within 1 to ${lastVlan}`);
      }
      return Array.from({ length: last - first + 1 }, (_, offset) => ({
        dev,
        vlan: first + offset,
        vni: vni + offset,
      }));
    });
  });
}
