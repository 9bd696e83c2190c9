import { defined } from '@tapline/base';
import type { FdbEntry, LinkState } from '../state/node-state.ts';
import { deviceName } from './device-name.ts';
import {
  type JsonRecord,
  optionalNumber,
  optionalText,
  readRecords,
  text,
  texts,
} from './json-records.ts';

const source = 'bridge -j fdb';

/**
 * Reads `bridge -j fdb`, without what each device has by itself: its own MAC in its bridge, and the
 * groups that it listens to.
 */
export function parseFdb(
  output: string,
  links: readonly Pick<LinkState, 'name' | 'kind' | 'mac'>[],
): readonly FdbEntry[] {
  const byName = new Map(links.map((link) => [link.name, link]));
  return readRecords(output, source)
    .map(readEntry)
    .filter((entry) => {
      const link = byName.get(entry.dev);
      if (entry.self) return link === undefined || link.kind === 'vxlan';
      return entry.local !== true || entry.mac !== link?.mac;
    });
}

function readEntry(record: JsonRecord): FdbEntry {
  const self = texts(record, 'flags', source).includes('self');
  const state = optionalText(record, 'state', source) ?? '';
  return {
    dev: deviceName(record['ifname'], source),
    mac: text(record, 'mac', source),
    self,
    ...defined({
      dst: optionalText(record, 'dst', source),
      srcVni: optionalNumber(record, 'src_vni', source),
      vlan: optionalNumber(record, 'vlan', source),
      vni: optionalNumber(record, 'vni', source),
      port: optionalNumber(record, 'port', source),
      via:
        optionalText(record, 'viaIf', source) ??
        optionalNumber(record, 'viaIfIndex', source)?.toString(),
      nexthopGroup: optionalNumber(record, 'nhid', source),
    }),
    ...(!self && state === 'permanent' && { local: true as const }),
    ...(state !== 'permanent' && state !== 'static' && { learned: true as const }),
  };
}
