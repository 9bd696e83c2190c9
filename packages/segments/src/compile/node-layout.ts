/**
 * `devices`: a bridge and a VXLAN device for each segment, ports in the kernel. `carrier`: one VXLAN
 * device for all of them, for nodes with far more segments than a kernel takes devices. `vlans`: one
 * bridge whose VLANs are the segments, up to 4,094, and a VXLAN device for each way to other nodes.
 * `underlay`: only what encrypts between nodes, where frames are switched in user space.
 */
export type NodeLayout = 'devices' | 'carrier' | 'vlans' | 'underlay';
