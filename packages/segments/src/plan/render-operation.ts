import { parseIpAddress } from '../address/ip-address.ts';
import { guardProgram } from '../compile/guard-program.ts';
import { guardHandle } from '../names/guard-handle.ts';
import type {
  ArrivalMark,
  BpfInstruction,
  FdbEntry,
  PortEnd,
  WireguardState,
} from '../state/node-state.ts';
import { ipsecCommand } from '../encryption/ipsec-command.ts';
import { isIpsecOperation } from '../encryption/ipsec-operation.ts';
import { type KeySource, shownKey } from '../encryption/key-reference.ts';
import { macsecCommand, type MacsecPlace } from '../encryption/macsec-command.ts';
import { isMacsecOperation } from '../encryption/macsec-operation.ts';
import type { Command } from './command.ts';
import { floodMac } from '../compile/segment-fdb.ts';
import { deleteScript, elementScript, installScript } from './nft-script.ts';
import type { GuardPlace, Operation } from './operation.ts';
import { addLink, changeLink } from './render-link.ts';

/** Where the WireGuard key lies is for the node to say; without `keyOf` keys are named only. */
export interface RenderOptions {
  readonly wireguardKeyFile: string;
  readonly keyOf?: KeySource;
  /** Who is the MACsec device; the kernel unless given. */
  readonly macsec?: MacsecPlace;
}

/** The commands that carry an operation out. */
export function renderOperation(operation: Operation, options: RenderOptions): readonly Command[] {
  const { keyOf = shownKey } = options;
  if (isIpsecOperation(operation)) return ipsecCommand(operation, keyOf);
  if (isMacsecOperation(operation)) {
    return macsecCommand(operation, { keyOf, place: options.macsec ?? 'kernel' });
  }
  switch (operation.kind) {
    case 'link-add':
      return addLink(operation);
    case 'link-set':
      return changeLink(operation.name, operation.change).map(ip);
    case 'link-up':
      return [ip(`link set dev ${operation.name} up`)];
    case 'link-delete':
      return [ip(`link delete dev ${operation.name}`)];
    case 'link-release':
      return [ip(`link set dev ${operation.name} nomaster`)];
    case 'end-place':
      return placeEnd(operation.end);
    case 'fdb-add':
      return [bridge(addEntry(operation.entry, operation.bridged === true))];
    case 'fdb-delete':
      return [bridge(`fdb del ${entryText(operation.entry)}`)];
    case 'neighbour-add': {
      const { dev, address, mac } = operation.neighbour;
      return [ip(`neigh replace ${address} lladdr ${mac} nud permanent dev ${dev}`)];
    }
    case 'neighbour-delete':
      return [ip(`neigh del ${operation.neighbour.address} dev ${operation.neighbour.dev}`)];
    case 'egress-set': {
      const { dev, preference, program } = operation.filter;
      return [
        tc(`qdisc replace dev ${dev} clsact`),
        tc(
          `filter replace dev ${dev} egress protocol all pref ${preference} handle 1 bpf da bytecode '${bytecode(program)}'`,
        ),
      ];
    }
    case 'underlay-guard-set': {
      const { dev, hooked } = operation.guard;
      const filter = `filter replace ${guardText(operation.guard)}`;
      return [
        ...(hooked ? [] : [tc(`qdisc add dev ${dev} clsact`)]),
        tc(`${filter} da bytecode '${bytecode(guardProgram(operation.rule))}'`),
      ];
    }
    case 'underlay-guard-delete':
      return [tc(`filter del ${guardText(operation.guard)}`)];
    case 'filter-delete':
      return [
        tc(`filter del dev ${operation.dev} ${operation.direction} pref ${operation.preference}`),
      ];
    case 'tables-install':
      return installScript(operation.vxlanPort).map(nft);
    case 'tables-delete':
      return deleteScript().map(nft);
    case 'elements-add':
      return [nft(elementScript('add', operation))];
    case 'elements-delete':
      return [nft(elementScript('delete', operation))];
    case 'address-add':
    case 'address-delete': {
      const { dev, address, prefixLength } = operation.address;
      const verb = operation.kind === 'address-add' ? 'replace' : 'del';
      return [ip(`address ${verb} ${address}/${prefixLength} dev ${dev}`)];
    }
    case 'route-add':
      return [ip(`route replace ${operation.route.destination} dev ${operation.route.dev}`)];
    case 'route-delete':
      return [ip(`route del ${operation.route.destination} dev ${operation.route.dev}`)];
    case 'vni-add':
    case 'vni-delete': {
      const { dev, first, last } = operation.range;
      const verb = operation.kind === 'vni-add' ? 'add' : 'delete';
      return [bridge(`vni ${verb} dev ${dev} vni ${first === last ? first : `${first}-${last}`}`)];
    }
    case 'vlan-add': {
      const { dev, vlan, pvid, untagged } = operation.member;
      const flags = `${pvid ? ' pvid' : ''}${untagged ? ' untagged' : ''}`;
      return [bridge(`vlan add dev ${dev} vid ${vlan}${flags}`)];
    }
    case 'vlan-delete':
      return [bridge(`vlan del dev ${operation.member.dev} vid ${operation.member.vlan}`)];
    case 'tunnel-add':
    case 'tunnel-delete': {
      const { dev, vlan, vni } = operation.tunnel;
      const verb = operation.kind === 'tunnel-add' ? 'add' : 'del';
      return [bridge(`vlan ${verb} dev ${dev} vid ${vlan} tunnel_info id ${vni}`)];
    }
    case 'hook-add':
      return [tc(`qdisc replace dev ${operation.dev} clsact`)];
    case 'arrival-add':
      return [tc(`filter replace ${arrivalText(operation.arrival)}`)];
    case 'arrival-delete': {
      const { dev, preference, handle } = operation.arrival;
      return [
        tc(`filter del dev ${dev} ingress protocol all pref ${preference} handle ${handle} flower`),
      ];
    }
    case 'wireguard-set':
      return [{ program: 'wg', line: wireguardLine(operation, options.wireguardKeyFile) }];
  }
}

function bytecode(program: readonly BpfInstruction[]): string {
  const lines = program.map(({ code, jt, jf, k }) => `${code} ${jt} ${jf} ${k}`);
  return [program.length, ...lines].join(',');
}

function guardText({ dev, preference }: GuardPlace): string {
  return `dev ${dev} ingress protocol all pref ${preference} handle ${guardHandle} bpf`;
}

/** A frame that brings a tag would choose its VLAN by it: it gets no mark. */
function arrivalText({ dev, preference, handle, vni, group, mark }: ArrivalMark): string {
  return [
    `dev ${dev} ingress protocol all pref ${preference} handle ${handle} flower`,
    `num_of_vlans 0 enc_key_id ${vni} vxlan_opts ${group}/0xffff action skbedit mark ${mark}`,
  ].join(' ');
}

/** Up last: a port's carrier says that its workload has all of it. */
function placeEnd({ name, addresses, prefixLengths, mtu, place }: PortEnd): readonly Command[] {
  const lines = [
    ...addresses.map((address, index) => {
      const { family } = parseIpAddress(address);
      // Nobody else can have it, so there is nothing to wait for.
      const flags = family === 6 ? ' nodad' : '';
      return `address replace ${address}/${prefixLengths[index] ?? 0} dev ${name}${flags}`;
    }),
    `link set dev ${name} mtu ${mtu} up`,
  ];
  return lines.map((line) =>
    place.kind === 'host' ? ip(line) : { program: 'ip', namespace: place.path, line },
  );
}

function addEntry(entry: FdbEntry, bridged: boolean): string {
  const verb = entry.mac === floodMac ? 'append' : 'add';
  // `permanent` in a bridge would be the node itself.
  if (bridged) return `fdb add ${entryText(entry)} master static`;
  return `fdb ${verb} ${entryText(entry)} ${entry.self ? 'permanent' : 'static'}`;
}

function entryText({ dev, mac, dst, srcVni, vlan, via, self }: FdbEntry): string {
  return [
    `${mac} dev ${dev}`,
    dst === undefined ? '' : ` dst ${dst}`,
    srcVni === undefined ? '' : ` src_vni ${srcVni}`,
    vlan === undefined ? '' : ` vlan ${vlan}`,
    via === undefined ? '' : ` via ${via}`,
    self ? ' self' : ' master',
  ].join('');
}

function wireguardLine(
  { device, removed }: { readonly device: WireguardState; readonly removed: readonly string[] },
  keyFile: string,
): string {
  return [
    `set ${device.dev} listen-port ${device.listenPort} private-key ${keyFile}`,
    ...removed.map((key) => `peer ${key} remove`),
    ...device.peers.map(({ publicKey, endpoint, allowedIps }) =>
      [
        `peer ${publicKey}`,
        ...(endpoint === undefined ? [] : [`endpoint ${endpoint}`]),
        `allowed-ips ${allowedIps.join(',')}`,
        // Shakes hands at once, so that the first frames are not lost, and holds NATs open.
        'persistent-keepalive 25',
      ].join(' '),
    ),
  ].join(' ');
}

function ip(line: string): Command {
  return { program: 'ip', line };
}

function bridge(line: string): Command {
  return { program: 'bridge', line };
}

function tc(line: string): Command {
  return { program: 'tc', line };
}

function nft(line: string): Command {
  return { program: 'nft', line };
}
