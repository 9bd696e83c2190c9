import { defined } from '@tapline/base';
import type { LinkState } from '../state/node-state.ts';
import { deviceName } from './device-name.ts';
import {
  flag,
  type JsonRecord,
  number,
  optionalNumber,
  optionalRecord,
  optionalText,
  readRecords,
  texts,
} from './json-records.ts';

const source = 'ip -j -d link';

/**
 * Reads `ip -j -d link`. It shows the flags of bridge ports, too, from the same dump, so that
 * `bridge -j -d link`, which shows the same in another moment, is not asked.
 */
export function parseLinks(output: string): readonly LinkState[] {
  return readRecords(output, source).map(readLink);
}

function readLink(record: JsonRecord): LinkState {
  const info = optionalRecord(record, 'linkinfo', source) ?? {};
  const data = optionalRecord(info, 'info_data', source) ?? {};
  const kind = optionalText(info, 'info_kind', source) ?? '';
  const port = optionalRecord(info, 'info_slave_data', source);
  const isPort = optionalText(info, 'info_slave_kind', source) === 'bridge';
  const below = data['link'] ?? record['link'];
  return {
    name: deviceName(record['ifname'], source),
    kind,
    up: texts(record, 'flags', source).includes('UP'),
    ...(kind === 'veth' && { carrier: texts(record, 'flags', source).includes('LOWER_UP') }),
    mtu: number(record, 'mtu', source),
    mac: optionalText(record, 'address', source) ?? '',
    ...(record['master'] !== undefined && { master: deviceName(record['master'], source) }),
    ...(below !== undefined && below !== null && { lower: deviceName(below, source) }),
    ...(kind === 'bridge' && { bridge: readBridge(data) }),
    ...(kind === 'vxlan' && { vxlan: readVxlan(data) }),
    ...(isPort && port !== undefined && { bridgePort: readPort(port) }),
  };
}

function readBridge(data: JsonRecord): Exclude<LinkState['bridge'], undefined> {
  return {
    vlanFiltering: flag(data, 'vlan_filtering', source),
    defaultPvid: optionalNumber(data, 'vlan_default_pvid', source) ?? 0,
    mcastSnooping: flag(data, 'mcast_snooping', source),
  };
}

function readVxlan(data: JsonRecord): Exclude<LinkState['vxlan'], undefined> {
  const external = flag(data, 'external', source);
  const vni = external ? undefined : number(data, 'id', source);
  return {
    ...defined({ vni }),
    local: optionalText(data, 'local', source) ?? optionalText(data, 'local6', source) ?? '',
    port: number(data, 'port', source),
    learning: flag(data, 'learning', source),
    gbp: flag(data, 'gbp', source),
    external,
    vnifilter: flag(data, 'vnifilter', source),
  };
}

function readPort(data: JsonRecord): Exclude<LinkState['bridgePort'], undefined> {
  return {
    isolated: flag(data, 'isolated', source),
    neighSuppress: flag(data, 'neigh_suppress', source),
    learning: flag(data, 'learning', source),
    flood: flag(data, 'flood', source),
    vlanTunnel: flag(data, 'vlan_tunnel', source),
    hairpin: flag(data, 'hairpin', source),
  };
}
