import { isRecord, TaplineError } from '@tapline/base';
import { parseIpAddress } from '../address/ip-address.ts';
import { checkKey as checkKeyReference } from './check-key.ts';
import {
  isPortEnd,
  isSegmentInterface,
  macsecName,
  wireguardName,
} from '../names/interface-names.ts';
import { isWireguardKey } from '../compile/wireguard-underlay.ts';
import { mostGuardedRanges } from '../compile/underlay-guard.ts';
import { declarationOf } from './nft-script.ts';
import type { Operation } from './operation.ts';

/**
 * Checks an operation that comes from a process with fewer rights. Every name is one of ours, every
 * value is of its type and range, so that no text of somebody else's gets into a command. Throws
 * `operation_invalid` with the field.
 */
export function parseOperation(value: unknown): Operation {
  const operation = record(value, 'operation');
  const check = checks[operation['kind'] as Operation['kind']] as
    | ((value: Fields) => void)
    | undefined;
  if (check === undefined || typeof operation['kind'] !== 'string')
    throw invalid('kind', operation['kind']);
  check(operation);
  return operation as unknown as Operation;
}

type Fields = Readonly<Record<string, unknown>>;

const checks: Readonly<Record<Operation['kind'], (operation: Fields) => void>> = {
  'link-add': ({ link, end }) => {
    checkLink(record(link, 'link'));
    if (end !== undefined) checkEnd(record(end, 'end'));
  },
  'link-set': ({ name, change }) => {
    device(name, 'name');
    checkChange(record(change, 'change'));
  },
  'link-up': ({ name }) => device(name, 'name'),
  'link-delete': ({ name }) => device(name, 'name'),
  'link-release': ({ name }) => matching(name, 'name', /^[A-Za-z0-9_.@-]{1,15}$/),
  'end-place': ({ end }) => checkEnd(record(end, 'end')),
  'fdb-add': ({ entry }) => checkEntry(record(entry, 'entry')),
  'fdb-delete': ({ entry }) => checkEntry(record(entry, 'entry')),
  'neighbour-add': ({ neighbour }) => checkNeighbour(record(neighbour, 'neighbour')),
  'neighbour-delete': ({ neighbour }) => checkNeighbour(record(neighbour, 'neighbour')),
  'egress-set': ({ filter }) => {
    const { dev, preference, program } = record(filter, 'filter');
    device(dev, 'dev');
    integer(preference, 'preference', 0xffff);
    for (const entry of list(program, 'program', 4096)) {
      const { code, jt, jf, k } = record(entry, 'program');
      integer(code, 'code', 0xffff);
      integer(jt, 'jt', 0xff);
      integer(jf, 'jf', 0xff);
      integer(k, 'k', 0xffffffff);
    }
  },
  'underlay-guard-set': ({ guard, rule }) => {
    checkGuard(record(guard, 'guard'));
    const { ethernet, vxlanPort, vnis } = record(rule, 'rule');
    if (typeof ethernet !== 'boolean') throw invalid('ethernet', ethernet);
    integer(vxlanPort, 'vxlanPort', 0xffff);
    let least = 0;
    for (const range of list(vnis, 'vnis', mostGuardedRanges)) {
      const [first, last] = list(range, 'vnis', 2);
      integer(first, 'vnis', 0xffffff);
      integer(last, 'vnis', 0xffffff);
      if (Number(first) < least || Number(last) < Number(first)) throw invalid('vnis', range);
      least = Number(last) + 1;
    }
  },
  'underlay-guard-delete': ({ guard }) => checkGuard(record(guard, 'guard')),
  'filter-delete': ({ dev, direction, preference }) => {
    device(dev, 'dev');
    matching(direction, 'direction', /^(in|e)gress$/);
    integer(preference, 'preference', 0xffff);
  },
  'tables-install': ({ vxlanPort }) => integer(vxlanPort, 'vxlanPort', 0xffff),
  'tables-delete': () => {},
  'elements-add': checkElements,
  'elements-delete': checkElements,
  'address-add': ({ address }) => checkAddress(record(address, 'address')),
  'address-delete': ({ address }) => checkAddress(record(address, 'address')),
  'route-add': ({ route }) => checkRoute(record(route, 'route')),
  'route-delete': ({ route }) => checkRoute(record(route, 'route')),
  'vni-add': ({ range }) => checkRange(record(range, 'range')),
  'vni-delete': ({ range }) => checkRange(record(range, 'range')),
  'vlan-add': ({ member }) => checkMember(record(member, 'member')),
  'vlan-delete': ({ member }) => checkMember(record(member, 'member')),
  'tunnel-add': ({ tunnel }) => checkTunnel(record(tunnel, 'tunnel')),
  'tunnel-delete': ({ tunnel }) => checkTunnel(record(tunnel, 'tunnel')),
  'hook-add': ({ dev }) => device(dev, 'dev'),
  'arrival-add': ({ arrival }) => checkArrival(record(arrival, 'arrival')),
  'arrival-delete': ({ arrival }) => checkArrival(record(arrival, 'arrival')),
  'guard-install': ({ port, vnis }) => {
    integer(port, 'port', 0xffff);
    for (const vni of list(vnis, 'vnis')) integer(vni, 'vnis', 0xffffff);
  },
  'guard-delete': () => {},
  'association-add': (operation) => {
    checkAssociation(operation);
    integer(operation['requestId'], 'requestId', 0xffffffff);
    integer(operation['port'], 'port', 0xffff);
    checkKeyReference(operation['key'], 'esp');
  },
  'association-delete': checkAssociation,
  'policy-set': (operation) => {
    const { action, priority, requestId, spi } = operation;
    checkPolicy(operation);
    matching(action, 'action', /^(allow|block)$/);
    integer(priority, 'priority', 0xffffffff);
    if (requestId !== undefined) integer(requestId, 'requestId', 0xffffffff);
    if (spi !== undefined) integer(spi, 'spi', 0xffffffff);
  },
  'policy-delete': checkPolicy,
  'parent-guard': ({ parent }) => matching(parent, 'parent', anyDevice),
  'parent-open': ({ parent }) => matching(parent, 'parent', anyDevice),
  'link-guard': ({ port, vnis }) => {
    integer(port, 'port', 0xffff);
    for (const vni of list(vnis, 'vnis')) integer(vni, 'vnis', 0xffffff);
  },
  'link-guard-delete': () => {},
  'macsec-add': ({ dev, parent, mtu, mac }) => {
    macAddress(mac);
    macsecDevice(dev);
    matching(parent, 'parent', anyDevice);
    integer(mtu, 'mtu', 0xffff);
  },
  'macsec-delete': ({ dev }) => macsecDevice(dev),
  'channel-add': checkChannel,
  'channel-delete': checkChannel,
  'receive-add': (operation) => {
    checkChannel(operation);
    checkMacsecKey(operation);
  },
  'receive-delete': (operation) => {
    checkChannel(operation);
    integer(operation['associationNumber'], 'associationNumber', 3);
  },
  'send-add': (operation) => {
    macsecDevice(operation['dev']);
    checkMacsecKey(operation);
  },
  'send-use': checkSender,
  'send-delete': checkSender,
  'wireguard-set': ({ device: state, removed }) => {
    const { dev, listenPort, peers } = record(state, 'device');
    device(dev, 'dev');
    integer(listenPort, 'listenPort', 0xffff);
    for (const key of list(removed, 'removed')) wireguardKey(key);
    for (const entry of list(peers, 'peers')) {
      const { publicKey, endpoint, allowedIps } = record(entry, 'peers');
      wireguardKey(publicKey);
      if (endpoint !== undefined) {
        matching(endpoint, 'endpoint', /^([0-9.]{7,15}|\[[0-9a-f:]{2,39}\]):[0-9]{1,5}$/);
      }
      for (const prefix of list(allowedIps, 'allowedIps')) {
        matching(prefix, 'allowedIps', /^[0-9a-f.:]{2,39}\/[0-9]{1,3}$/);
      }
    }
  },
};

/** Of somebody else, as it is the machine's own. */
const anyDevice = /^[A-Za-z0-9_.@-]{1,15}$/;

function checkAssociation({ source, destination, spi }: Fields): void {
  ipAddress(source);
  ipAddress(destination);
  integer(spi, 'spi', 0xffffffff);
}

function checkPolicy({ direction, source, destination, port }: Fields): void {
  matching(direction, 'direction', /^(in|out)$/);
  for (const prefix of [source, destination]) {
    matching(prefix, 'prefix', /^[0-9a-f.:]{2,39}\/[0-9]{1,3}$/);
  }
  integer(port, 'port', 0xffff);
}

function macsecDevice(value: unknown): void {
  if (value !== macsecName) throw invalid('dev', value);
}

function checkChannel({ dev, mac }: Fields): void {
  macsecDevice(dev);
  macAddress(mac);
}

function checkSender({ dev, associationNumber }: Fields): void {
  macsecDevice(dev);
  integer(associationNumber, 'associationNumber', 3);
}

function checkMacsecKey({ associationNumber, keyId, key }: Fields): void {
  integer(associationNumber, 'associationNumber', 3);
  matching(keyId, 'keyId', /^[0-9a-f]{32}$/);
  checkKeyReference(key, 'macsec');
}

function checkLink({ name, kind, mtu, mac, master, lower, vxlan, bridgePort }: Fields): void {
  device(name, 'name');
  matching(kind, 'kind', /^(bridge|vxlan|veth|wireguard|tun)$/);
  integer(mtu, 'mtu', 0xffff);
  if (mac !== '') macAddress(mac);
  if (master !== undefined) device(master, 'master');
  if (lower !== undefined) device(lower, 'lower');
  if (vxlan !== undefined) {
    const fields = record(vxlan, 'vxlan');
    if (fields['vni'] !== undefined) integer(fields['vni'], 'vni', 0xffffff);
    ipAddress(fields['local']);
    integer(fields['port'], 'port', 0xffff);
  }
  if (bridgePort !== undefined) record(bridgePort, 'bridgePort');
}

function checkChange({ mtu, mac, master, bridgePort }: Fields): void {
  if (mtu !== undefined) integer(mtu, 'mtu', 0xffff);
  if (mac !== undefined) macAddress(mac);
  if (master !== undefined) device(master, 'master');
  if (bridgePort !== undefined) record(bridgePort, 'bridgePort');
}

function checkEnd({ port, name, mac, mtu, addresses, prefixLengths, place }: Fields): void {
  device(port, 'port');
  if (typeof name !== 'string' || !isPortEnd(name)) throw invalid('name', name);
  macAddress(mac);
  integer(mtu, 'mtu', 0xffff);
  for (const address of list(addresses, 'addresses')) ipAddress(address);
  for (const length of list(prefixLengths, 'prefixLengths')) integer(length, 'prefixLengths', 128);
  const { kind, path } = record(place, 'place');
  matching(kind, 'place', /^(host|namespace)$/);
  // No spaces, no way out of the two trees that hold namespaces.
  if (kind === 'namespace') {
    matching(
      path,
      'path',
      /^\/(proc\/[0-9]+\/ns\/net|(var\/)?run\/[A-Za-z0-9_-]+(\/[A-Za-z0-9_-]+)*)$/,
    );
  }
}

function checkEntry({ dev, mac, dst, srcVni, vlan, via }: Fields): void {
  device(dev, 'dev');
  macAddress(mac);
  if (dst !== undefined) ipAddress(dst);
  if (srcVni !== undefined) integer(srcVni, 'srcVni', 0xffffff);
  if (vlan !== undefined) integer(vlan, 'vlan', 4095);
  // Of somebody else's entry that goes, it may be any.
  if (via !== undefined) matching(via, 'via', anyDevice);
}

/** The underlay's device is nobody's of ours; its filter is one that can only drop VXLAN. */
function checkGuard({ dev, preference, hooked }: Fields): void {
  matching(dev, 'dev', /^[A-Za-z0-9_.@-]{1,15}$/);
  integer(preference, 'preference', 0xffff);
  if (typeof hooked !== 'boolean') throw invalid('hooked', hooked);
}

function checkNeighbour({ dev, address, mac }: Fields): void {
  device(dev, 'dev');
  ipAddress(address);
  macAddress(mac);
}

function checkAddress({ dev, address, prefixLength }: Fields): void {
  device(dev, 'dev');
  ipAddress(address);
  integer(prefixLength, 'prefixLength', 128);
}

function checkRoute({ dev, destination }: Fields): void {
  device(dev, 'dev');
  ipAddress(destination);
}

function checkRange({ dev, first, last }: Fields): void {
  device(dev, 'dev');
  integer(first, 'first', 0xffffff);
  integer(last, 'last', 0xffffff);
}

function checkMember({ dev, vlan, pvid, untagged }: Fields): void {
  device(dev, 'dev');
  integer(vlan, 'vlan', 4094);
  if (typeof pvid !== 'boolean') throw invalid('pvid', pvid);
  if (typeof untagged !== 'boolean') throw invalid('untagged', untagged);
}

function checkTunnel({ dev, vlan, vni }: Fields): void {
  device(dev, 'dev');
  integer(vlan, 'vlan', 4094);
  integer(vni, 'vni', 0xffffff);
}

function checkArrival({ dev, preference, handle, vni, group, mark }: Fields): void {
  device(dev, 'dev');
  integer(preference, 'preference', 0xffff);
  integer(handle, 'handle', 0xffffffff);
  integer(vni, 'vni', 0xffffff);
  integer(group, 'group', 0xffff);
  integer(mark, 'mark', 0xffffffff);
}

function checkElements({ set, elements }: Fields): void {
  if (typeof set !== 'string') throw invalid('set', set);
  declarationOf(set);
  for (const element of list(elements, 'elements')) {
    for (const part of Array.isArray(element) ? (element as unknown[]) : [element]) checkKey(part);
  }
}

function checkKey(key: unknown): void {
  const parts = isRecord(key) ? list(key['concat'], 'elements') : [key];
  for (const part of parts) {
    const fine =
      typeof part === 'number'
        ? Number.isInteger(part) && part >= 0 && part <= 0xffffffff
        : typeof part === 'string' &&
          (isSegmentInterface(part) || /^(0x)?[0-9a-f:.]{1,39}$/.test(part));
    if (!fine) throw invalid('elements', part);
  }
}

function record(value: unknown, field: string): Fields {
  if (!isRecord(value)) throw invalid(field, value);
  return value;
}

function list(value: unknown, field: string, most = 1_000_000): readonly unknown[] {
  if (!Array.isArray(value) || value.length > most) throw invalid(field, value);
  return value;
}

function device(value: unknown, field: string): void {
  const ours =
    typeof value === 'string' &&
    (isSegmentInterface(value) || value === wireguardName || value === macsecName);
  if (!ours) throw invalid(field, value);
}

function matching(value: unknown, field: string, pattern: RegExp): void {
  if (typeof value !== 'string' || !pattern.test(value)) throw invalid(field, value);
}

function integer(value: unknown, field: string, most: number): void {
  const fine = typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most;
  if (!fine) throw invalid(field, value);
}

function macAddress(value: unknown): void {
  matching(value, 'mac', /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/);
}

function ipAddress(value: unknown): void {
  if (typeof value !== 'string' || value.length > 39) throw invalid('address', value);
  parseIpAddress(value);
}

function wireguardKey(value: unknown): void {
  if (typeof value !== 'string' || !isWireguardKey(value)) throw invalid('publicKey', value);
}

function invalid(field: string, value: unknown): TaplineError {
  const shown = (JSON.stringify(value) ?? 'nothing').slice(0, 80);
  return new TaplineError(
    'operation_invalid',
    `operation refused: ${field} ${shown} is not allowed`,
  );
}
