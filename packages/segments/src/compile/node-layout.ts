/**
 * `devices`: a bridge and a VXLAN device for each segment, ports in the kernel. `carrier`: one VXLAN
 * device for all of them, for nodes with far more segments than a kernel takes devices.
 */
export type NodeLayout = 'devices' | 'carrier';
