/**
 * The link-local address of a port, as Linux derives it from the port's MAC (RFC 4291, EUI-64), and
 * as nft prints it where it is a neighbour's target: a verifier needs both of every port of a fabric.
 */
export function portLinkLocal(
  vni: number,
  index: number,
): { readonly address: string; readonly target: string } {
  const [high = '', middle = '', low = ''] = [vni >>> 16, (vni >>> 8) & 0xff, vni & 0xff].map(
    (byte) => byte.toString(16).padStart(2, '0'),
  );
  const last = index.toString(16);
  // Zeros before a group are not written, nor groups of zeros after `fe80` (RFC 5952 §4).
  const first = vni >>> 16 === 0 ? '' : `${(vni >>> 16).toString(16)}:`;
  const second = (((vni >>> 8) & 0xff) * 256 + 0xff).toString(16);
  return {
    address: `fe80::${first}${second}:fe${low}:${last}`,
    target: `0xfe8000000000000000${high}${middle}fffe${low}${last.padStart(4, '0')}`,
  };
}
