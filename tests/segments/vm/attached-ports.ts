import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { join } from 'node:path';
import { systemClock } from '@tapline/base';
import { type Fabric, openSocketDatapath, openUserSpaceFabric } from '@tapline/fabric';
import { type FabricIntent, portMac, type PortRole } from '@tapline/segments';
import type { TestEnd } from '../support/traffic-classes.ts';

/** Ports of two nodes that network devices of one machine are attached to, each by its socket. */
export interface AttachedPorts extends AsyncDisposable {
  readonly intents: FabricIntent;
  readonly fabrics: readonly (readonly [string, Fabric])[];
  readonly ends: readonly TestEnd[];
  /** QEMU's arguments for these devices. */
  readonly devices: readonly string[];
  /** In the machine: each device as `port` in a namespace of its own, `g1` and so on. */
  readonly setUp: string;
}

const vni = 7020;
const roles: readonly PortRole[] = [
  { kind: 'promiscuous' },
  { kind: 'isolated' },
  { kind: 'community', community: 'a' },
  { kind: 'isolated' },
];

export async function openAttachedPorts(folder: string): Promise<AttachedPorts> {
  await using opened = new AsyncDisposableStack();
  const nodes = [1, 2].map((number) => ({
    name: `s${number}`,
    vtep: `127.0.78.${number}`,
    underlay: `127.0.78.${number}`,
  }));
  const ports = roles.map((role, at) => ({
    node: `s${(at >> 1) + 1}`,
    index: at + 1,
    incarnation: 1,
    owner: `g${at + 1}`,
    addresses: [`10.20.0.${at + 1}`],
    role,
    attach: { kind: 'host' } as const,
  }));
  const intents: FabricIntent = {
    vxlanPort: await freePort(),
    nodes,
    segments: [
      {
        name: 'attached',
        vni,
        subnet: '10.20.0.0/24',
        mtu: 1450,
        encryption: { underlay: 'none', link: 'none' },
        communities: { a: 16 },
        ports,
      },
    ],
  };
  const fabrics: (readonly [string, Fabric])[] = [];
  for (const { name } of nodes) {
    const datapath = openSocketDatapath({
      node: name,
      folder: join(folder, name),
      deviceOf: () => undefined,
    });
    const init = { node: name, clock: systemClock, underlayMtu: 1500, datapath };
    const fabric = opened.use(await openUserSpaceFabric(init));
    await fabric.apply(intents);
    fabrics.push([name, fabric]);
  }
  const ends = ports.map((port) => ({
    intent: port,
    mac: portMac(vni, port.index),
    ipv4: port.addresses[0] ?? '',
  }));
  const owned = opened.move();
  return {
    intents,
    fabrics,
    ends,
    devices: ends.flatMap(({ intent: { node, index }, mac }) => [
      '-netdev',
      `stream,id=g${index},server=off,addr.type=unix,addr.path=${join(folder, node, `${vni}.${index}.sock`)}`,
      '-device',
      `virtio-net-pci,netdev=g${index},mac=${mac},romfile=`,
    ]),
    setUp: ends
      .map(({ mac, ipv4 }, at) =>
        [
          `ip netns add g${at + 1}`,
          `ip netns exec g${at + 1} sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1`,
          `for d in /sys/class/net/*; do [ "$(cat $d/address)" = ${mac} ] && ip link set $(basename $d) name port mtu 1450 netns g${at + 1}; done`,
          `ip -n g${at + 1} address add ${ipv4}/24 dev port`,
          // What a device's own filter would leave out is seen, too.
          `ip -n g${at + 1} link set port promisc on up`,
        ].join('\n'),
      )
      .join('\n'),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}
