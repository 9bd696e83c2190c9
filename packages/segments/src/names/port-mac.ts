/**
 * The MAC of a port: locally administered, all 24 bits of the VNI and the port's index, so that no
 * two ports of a fabric have the same.
 */
export function portMac(vni: number, index: number): string {
  const bytes = [0x02, vni >>> 16, vni >>> 8, vni, index >>> 8, index];
  return bytes.map((byte) => (byte & 0xff).toString(16).padStart(2, '0')).join(':');
}
