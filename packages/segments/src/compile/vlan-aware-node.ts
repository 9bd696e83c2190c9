import { TaplineError } from '@tapline/base';
import type {
  FabricIntent,
  NodeIntent,
  PortIntent,
  SegmentIntent,
} from '../intent/segment-intent.ts';
import { mayReachGroup } from '../datapath/may-reach-group.ts';
import { groupId } from '../names/group-id.ts';
import { carrierName, portEndName, portName } from '../names/interface-names.ts';
import { portMac } from '../names/port-mac.ts';
import { floodMac } from './segment-fdb.ts';

/** A line for a program that reads commands from its input. */
export interface LayoutCommand {
  readonly program: 'ip' | 'bridge' | 'tc' | 'nft';
  readonly line: string;
}

export interface VlanAwareOptions {
  readonly node: string;
  /** VLAN of each VNI on this node's bridge, 1 to 4094, from the node's record; never sent. */
  readonly vlans: ReadonlyMap<number, number>;
}

const bridge = 'tb0000';
const table = 'bridge tapline_vlan';

/**
 * Many segments on one VLAN-aware bridge and one VXLAN device (`external vnifilter`, `vlan_tunnel`),
 * up to 4,094: each is a VLAN of the bridge, which its VNI is mapped to. The group of what comes from
 * other nodes is only in the tunnel's metadata, so a flower filter makes it the frame's mark; towards
 * other nodes the mark becomes the group, as with a device for each VNI.
 *
 * What drops comes first and devices last, so that nothing is open in between.
 */
export function vlanAwareCommands(
  intent: FabricIntent,
  options: VlanAwareOptions,
): readonly LayoutCommand[] {
  const nodes = new Map(intent.nodes.map((node) => [node.name, node]));
  const own = nodes.get(options.node);
  if (own === undefined) {
    throw new TaplineError(
      'node_unknown',
      `node ${options.node} is not among the fabric's ${nodes.size}`,
    );
  }
  const here = intent.segments.filter(({ ports }) => ports.some(({ node }) => node === own.name));
  const views = here.map((segment) => ({ segment, vlan: vlanOf(segment, options), own, nodes }));
  return [
    { program: 'nft', line: rules(views) },
    {
      program: 'ip',
      line: `link add ${bridge} type bridge vlan_filtering 1 vlan_default_pvid 0 mcast_snooping 0`,
    },
    {
      program: 'ip',
      line: `link add ${carrierName} type vxlan external vnifilter gbp local ${own.underlay} dstport ${intent.vxlanPort} nolearning`,
    },
    {
      program: 'ip',
      line: `link set ${carrierName} mtu ${Math.min(...here.map(({ mtu }) => mtu))} master ${bridge}`,
    },
    { program: 'tc', line: `qdisc add dev ${carrierName} clsact` },
    ...views.flatMap(filters),
    {
      program: 'bridge',
      line: `link set dev ${carrierName} vlan_tunnel on learning off flood off`,
    },
    ...views.flatMap(mappings),
    ...views.flatMap(localPorts),
    { program: 'ip', line: `link set ${carrierName} up` },
    { program: 'ip', line: `link set ${bridge} up` },
  ];
}

interface View {
  readonly segment: SegmentIntent;
  readonly vlan: number;
  readonly own: NodeIntent;
  readonly nodes: ReadonlyMap<string, NodeIntent>;
}

function vlanOf({ name, vni }: SegmentIntent, { vlans }: VlanAwareOptions): number {
  const vlan = vlans.get(vni);
  if (vlan === undefined || !Number.isInteger(vlan) || vlan < 1 || vlan > 4094) {
    throw new TaplineError(
      'vlan_invalid',
      `segment ${name} with VNI ${vni} has VLAN ${vlan ?? 'none'}; 1 to 4094 are on one bridge`,
    );
  }
  return vlan;
}

function isLocal({ own }: View, port: PortIntent): boolean {
  return port.node === own.name;
}

/** Only groups that some remote port has become marks; without one a frame reaches nobody. */
function filters(view: View): readonly LayoutCommand[] {
  const { segment } = view;
  const remote = segment.ports.filter((port) => !isLocal(view, port));
  const groups = new Set(remote.map(({ role }) => groupId(role, segment.communities)));
  return [...groups].map((group) => ({
    program: 'tc',
    line:
      `filter add dev ${carrierName} ingress protocol all pref 1 flower enc_key_id ${segment.vni} ` +
      `vxlan_opts ${group}/0xffffffff action skbedit mark ${group}`,
  }));
}

function mappings(view: View): readonly LayoutCommand[] {
  const { segment, vlan, nodes } = view;
  const { vni } = segment;
  const remote = segment.ports.filter((port) => !isLocal(view, port));
  const peers = [...new Set(remote.map(({ node }) => node))].flatMap(
    (name) => nodes.get(name) ?? [],
  );
  const lines = [
    `vni add dev ${carrierName} vni ${vni}`,
    `vlan add dev ${carrierName} vid ${vlan}`,
    `vlan add dev ${carrierName} vid ${vlan} tunnel_info id ${vni}`,
    ...peers.map(
      ({ underlay }) =>
        `fdb append ${floodMac} dev ${carrierName} src_vni ${vni} dst ${underlay} self`,
    ),
    ...remote.flatMap(({ index, node }) => {
      const peer = nodes.get(node);
      if (peer === undefined) return [];
      const mac = portMac(vni, index);
      return [
        `fdb replace ${mac} dev ${carrierName} src_vni ${vni} dst ${peer.underlay} self`,
        `fdb replace ${mac} dev ${carrierName} vlan ${vlan} master static`,
      ];
    }),
  ];
  return lines.map((line) => ({ program: 'bridge', line }));
}

function localPorts(view: View): readonly LayoutCommand[] {
  const { segment, vlan } = view;
  return segment.ports
    .filter((port) => isLocal(view, port))
    .flatMap((port): readonly LayoutCommand[] => {
      const name = portName(segment.vni, port);
      const end = portEndName(segment.vni, port);
      const mac = portMac(segment.vni, port.index);
      const place = port.attach.kind === 'namespace' ? ` netns ${port.attach.path}` : '';
      return [
        {
          program: 'ip',
          line: `link add ${name} mtu ${segment.mtu} type veth peer name ${end} address ${mac} mtu ${segment.mtu}${place}`,
        },
        { program: 'ip', line: `link set ${name} master ${bridge}` },
        { program: 'bridge', line: `link set dev ${name} learning off flood off` },
        { program: 'bridge', line: `vlan add dev ${name} vid ${vlan} pvid untagged` },
        { program: 'bridge', line: `fdb replace ${mac} dev ${name} vlan ${vlan} master static` },
        { program: 'ip', line: `link set ${name} up` },
      ];
    });
}

/** The policy by marks, and who may bear which: the MAC tells segment and port. */
function rules(views: readonly View[]): string {
  const marks: string[] = [];
  const remote: string[] = [];
  const allowed: string[] = [];
  for (const view of views) {
    const { segment } = view;
    const groupOf = (port: PortIntent): number => groupId(port.role, segment.communities);
    const local = segment.ports.filter((port) => isLocal(view, port));
    for (const port of segment.ports) {
      const mac = portMac(segment.vni, port.index);
      if (isLocal(view, port))
        marks.push(`"${portName(segment.vni, port)}" . ${mac} : ${groupOf(port)}`);
      else remote.push(`${mac} . ${groupOf(port)}`);
    }
    const groups = new Set(segment.ports.map(groupOf));
    for (const port of local) {
      for (const group of groups) {
        if (mayReachGroup(group, groupOf(port)))
          allowed.push(`${group} . "${portName(segment.vni, port)}"`);
      }
    }
  }
  return [
    `table ${table} {}`,
    `delete table ${table}`,
    `table ${table} {`,
    ` map groups { type ifname . ether_addr : mark;${elements(marks)} }`,
    ` set remote { type ether_addr . mark;${elements(remote)} }`,
    ` set allowed { type mark . ifname;${elements(allowed)} }`,
    ' chain ingress { type filter hook prerouting priority -300; policy accept;',
    `  iifname "${carrierName}" ether saddr . meta mark @remote accept`,
    `  iifname "${carrierName}" drop`,
    '  iifname "tp*" meta mark set 0',
    '  iifname "tp*" meta mark set iifname . ether saddr map @groups',
    '  iifname "tp*" meta mark 0 drop',
    ' }',
    ' chain forward { type filter hook forward priority -200; policy accept;',
    '  meta mark . oifname @allowed accept',
    `  iifname "tp*" oifname "${carrierName}" meta mark != 0 accept`,
    '  oifname "tp*" drop',
    `  oifname "${carrierName}" drop`,
    ' }',
    '}',
  ].join('\n');
}

function elements(list: readonly string[]): string {
  return list.length === 0 ? '' : ` elements = { ${[...new Set(list)].join(', ')} };`;
}
