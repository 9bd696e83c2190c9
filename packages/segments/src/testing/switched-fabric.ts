import { createNodeSwitch, type NodeSwitch } from '../datapath/node-switch.ts';
import { vxlanHeaderBytes } from '../datapath/vxlan-header.ts';
import type { FabricIntent, PortIntent } from '../intent/segment-intent.ts';

/** Who got a frame: name of the segment and index of the port. */
export interface Arrival {
  readonly vni: number;
  readonly index: number;
  readonly frame: Uint8Array;
}

export interface SwitchedFabric {
  readonly switches: ReadonlyMap<string, NodeSwitch>;
  /** Sends a frame from a port and answers who got what, on all nodes. */
  send(vni: number, port: PortIntent, frame: Uint8Array): readonly Arrival[];
  /** A packet that a node claims to be from another, as the underlay brings it. */
  inject(at: string, from: string, packet: Uint8Array): readonly Arrival[];
}

/** The switches of all nodes, joined by an underlay that copies and loses nothing. */
export function switchedFabric(intent: FabricIntent): SwitchedFabric {
  const switches = new Map<string, NodeSwitch>();
  const wire: { from: string; to: string; packet: Uint8Array }[] = [];
  let arrivals: Arrival[] = [];
  for (const { name } of intent.nodes) {
    const made: NodeSwitch = createNodeSwitch({
      intent,
      node: name,
      output: {
        toPort(number, bytes, { start, end }) {
          const port = made.ports[number];
          if (port === undefined) throw new Error(`no port ${number}`);
          const frame = bytes.slice(start, end);
          arrivals.push({ vni: port.vni, index: port.intent.index, frame });
        },
        toPeer(peer, bytes, { start, end }) {
          const to = made.peers[peer]?.node.name ?? '';
          wire.push({ from: name, to, packet: bytes.slice(start, end) });
        },
      },
    });
    switches.set(name, made);
  }

  function settle(): readonly Arrival[] {
    for (let item = wire.shift(); item !== undefined; item = wire.shift()) {
      const to = switches.get(item.to);
      const peer = to?.peers.findIndex(({ node }) => node.name === item.from) ?? -1;
      if (peer >= 0) to?.fromPeer(peer, item.packet, { start: 0, end: item.packet.length });
    }
    const settled = arrivals;
    arrivals = [];
    return settled;
  }

  return {
    switches,
    send(vni, port, frame) {
      const at = switches.get(port.node);
      const number =
        at?.ports.findIndex((own) => own.vni === vni && own.intent.index === port.index) ?? -1;
      const bytes = new Uint8Array(vxlanHeaderBytes + frame.length);
      bytes.set(frame, vxlanHeaderBytes);
      at?.fromPort(number, bytes, { start: vxlanHeaderBytes, end: bytes.length });
      return settle();
    },
    inject(at, from, packet) {
      wire.push({ from, to: at, packet });
      return settle();
    },
  };
}
