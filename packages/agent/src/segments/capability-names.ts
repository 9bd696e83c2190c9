import type { NodeCapabilities } from '@tapline/segments';

/** As they stand in a Node's status. */
export function capabilityNames(capabilities: NodeCapabilities): readonly string[] {
  const { wireguard, macsec } = capabilities;
  return [
    ...(capabilities.bridge ? ['bridge'] : []),
    ...(capabilities.vxlanGbp ? ['vxlan-gbp'] : []),
    ...(capabilities.vnifilter ? ['vnifilter'] : []),
    ...(capabilities.vlanFiltering ? ['vlan-filtering'] : []),
    ...(capabilities.nftables ? ['nftables'] : []),
    ...(capabilities.nftablesArp ? ['nftables-arp'] : []),
    ...(capabilities.clsBpf ? ['cls-bpf'] : []),
    ...(wireguard === 'none' ? [] : [`wireguard-${wireguard}`]),
    ...(capabilities.ipsec ? ['ipsec'] : []),
    ...(macsec === 'none' ? [] : [`macsec-${macsec}`]),
  ];
}

/** What such names say. */
export function capabilitiesOf(names: readonly string[], underlayMtu: number): NodeCapabilities {
  const has = (name: string): boolean => names.includes(name);
  return {
    underlayMtu,
    bridge: has('bridge'),
    vxlanGbp: has('vxlan-gbp'),
    vnifilter: has('vnifilter'),
    vlanFiltering: has('vlan-filtering'),
    nftables: has('nftables'),
    nftablesArp: has('nftables-arp'),
    clsBpf: has('cls-bpf'),
    wireguard: has('wireguard-kernel')
      ? 'kernel'
      : has('wireguard-user-space')
        ? 'user-space'
        : 'none',
    ipsec: has('ipsec'),
    macsec: has('macsec-kernel') ? 'kernel' : has('macsec-user-space') ? 'user-space' : 'none',
  };
}
