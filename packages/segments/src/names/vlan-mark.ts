/**
 * The mark of frames of a group in one VLAN of a bridge that segments share, so that what decides by
 * marks alone keeps segments apart, whatever becomes of the bridge's VLANs. VXLAN sends the lower 16
 * bits as group policy id; bits 19 and 22 would be flags of its header (VXLAN_GBP_POLICY_APPLIED,
 * VXLAN_GBP_DONT_LEARN in include/net/vxlan.h) and are left out.
 */
export function vlanMark(vlan: number, group: number): number {
  const bits = ((vlan & 0x7) << 16) | ((vlan & 0x18) << 17) | ((vlan & 0xfe0) << 18);
  return bits | group;
}
