import type { LinkState, PortEnd } from '../state/node-state.ts';
import type { Command } from './command.ts';
import type { LinkChange } from './operation.ts';

/** What a veth uses anyway. */
const oneQueue = 'numtxqueues 1 numrxqueues 1';

/**
 * A new device, down. None of ours has an address of its own accord; devices of a group are told so
 * together.
 */
export function addLink(
  { link, end }: { readonly link: LinkState; readonly end?: PortEnd },
  group?: number,
): readonly Command[] {
  const { name, mac, mtu, master, kind } = link;
  // wireguard-go makes its own device.
  if (kind === 'tun') {
    return [
      { program: 'wireguard-go', line: name },
      { program: 'ip', line: `link set dev ${name} mtu ${mtu}` },
    ];
  }
  const common = [
    `link add name ${name}`,
    ...(mac === '' ? [] : [`address ${mac}`]),
    `mtu ${mtu}`,
    ...(master === undefined ? [] : [`master ${master}`]),
    ...(group === undefined ? [] : [`group ${group}`]),
    // More would be made than used, and giving one back waits for all processors.
    ...(end === undefined ? [] : [oneQueue]),
  ].join(' ');
  const lines = [`${common} type ${typeText(link, end)}`];
  const rest = [
    ...(group === undefined && kind !== 'wireguard' ? ['addrgenmode none'] : []),
    ...(link.bridgePort === undefined ? [] : [portText(link.bridgePort)]),
  ];
  if (rest.length > 0) lines.push(`link set dev ${name} ${rest.join(' ')}`);
  return lines.map((line) => ({ program: 'ip', line }));
}

export function changeLink(name: string, change: LinkChange): readonly string[] {
  const { mtu, mac, master, mcastSnooping, vlanFiltering, bridgePort } = change;
  return [
    ...(mtu === undefined ? [] : [`link set dev ${name} mtu ${mtu}`]),
    ...(mac === undefined ? [] : [`link set dev ${name} address ${mac}`]),
    ...(master === undefined ? [] : [`link set dev ${name} master ${master}`]),
    ...(mcastSnooping === undefined
      ? []
      : [`link set dev ${name} type bridge mcast_snooping ${mcastSnooping ? 1 : 0}`]),
    ...(vlanFiltering === undefined
      ? []
      : [`link set dev ${name} type bridge vlan_filtering ${vlanFiltering ? 1 : 0}`]),
    ...(bridgePort === undefined ? [] : [`link set dev ${name} ${portText(bridgePort)}`]),
  ];
}

function typeText({ kind, vxlan, bridge, lower }: LinkState, end: PortEnd | undefined): string {
  if (kind === 'bridge') {
    // In a VLAN every entry would be there twice; a kernel without them does not know the word.
    const vlan = bridge?.defaultPvid === 0 ? ' vlan_default_pvid 0' : '';
    const filtering = bridge?.vlanFiltering === true ? ' vlan_filtering 1' : '';
    return `bridge mcast_snooping ${bridge?.mcastSnooping === true ? 1 : 0}${filtering}${vlan}`;
  }
  if (vxlan !== undefined) {
    return [
      'vxlan',
      vxlan.external ? 'external' : `id ${vxlan.vni}`,
      ...(vxlan.vnifilter ? ['vnifilter'] : []),
      ...(lower === undefined ? [] : [`dev ${lower}`]),
      `local ${vxlan.local} dstport ${vxlan.port}`,
      vxlan.learning ? 'learning' : 'nolearning',
      ...(vxlan.gbp ? ['gbp'] : []),
      // An outer packet in fragments would hide that the MTU is wrong.
      'df set',
    ].join(' ');
  }
  if (end !== undefined) {
    const place = end.place.kind === 'host' ? '' : ` netns ${end.place.path}`;
    return `veth peer name ${end.name} ${oneQueue} address ${end.mac} mtu ${end.mtu}${place}`;
  }
  return kind;
}

function portText(flags: NonNullable<LinkState['bridgePort']>): string {
  return [
    'type bridge_slave',
    `learning ${onOff(flags.learning)}`,
    `flood ${onOff(flags.flood)}`,
    `neigh_suppress ${onOff(flags.neighSuppress)}`,
    `hairpin ${onOff(flags.hairpin)}`,
    `isolated ${onOff(flags.isolated)}`,
    // A kernel whose bridges have no VLANs may not know the word.
    ...(flags.vlanTunnel ? ['vlan_tunnel on'] : []),
  ].join(' ');
}

function onOff(flag: boolean): string {
  return flag ? 'on' : 'off';
}
