import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { join } from 'node:path';
import { errorMessage, isSystemError, isTaplineError, TaplineError } from '@tapline/base';
import {
  addressBytes,
  type ByteRange,
  createNodeSwitch,
  type FabricIntent,
  type NodeSwitch,
  portEndName,
  portMac,
  type PortIntent,
  readVxlanHeader,
  type SegmentIntent,
  type SegmentPath,
  segmentPath,
  type SwitchCounters,
  type SwitchedSegments,
} from '@tapline/segments';
import { addressKey } from '../userspace/batch-socket.ts';
import type {
  Datapath,
  DatapathCounters,
  DatapathOutcome,
} from '../userspace/datapath-messages.ts';
import { cannotCarry, reachedAt } from '../userspace/segment-carriage.ts';
import { type FramePort, openFramePort } from './frame-port.ts';
import { openUdpDescriptor } from './open-udp-descriptor.ts';

export interface SocketDatapathOptions {
  readonly node: string;
  /** Folder of its ports' sockets; nobody else may use what is in it. */
  readonly folder: string;
  /** The device that encrypts what goes this way; absent where packets go as they are. */
  readonly deviceOf: (path: SegmentPath) => string | undefined;
}

interface Carrier {
  readonly path: SegmentPath;
  readonly local: string;
  readonly vxlanPort: number;
  readonly addresses: readonly string[];
  readonly socket: Socket;
  readonly nodeSwitch: NodeSwitch;
}

/** Room for VXLAN's header before a frame. */
const frameAt = 64;
const scratchBytes = 2 ** 17;

/**
 * Carries a node's segments by sockets alone: each port is a Unix socket that a virtual machine's
 * network device is attached to, UDP goes between nodes, and the switch is between them. It asks nothing
 * of a system but those, so it is what a Mac has; it takes no rights where nothing is encrypted.
 */
export function openSocketDatapath(options: SocketDatapathOptions): Datapath {
  const { node, folder, deviceOf } = options;
  const counters = new Map<number, SwitchCounters>();
  const ports = new Map<string, FramePort>();
  /** Where frames of a port go, by its name; another one after each intent. */
  const inputs = new Map<string, (bytes: Uint8Array, range: ByteRange) => void>();
  const scratch = new Uint8Array(scratchBytes);
  let carriers: readonly Carrier[] = [];
  let strangers = 0;
  let sendErrors = 0;
  let serving: Promise<unknown> = Promise.resolve();

  async function apply(intent: FabricIntent): Promise<DatapathOutcome> {
    const refused: DatapathOutcome['refused'][number][] = [];
    const refuse = ({ name, vni }: SegmentIntent, error: unknown): void => {
      const code = isTaplineError(error) ? error.code : 'internal';
      refused.push({ segment: name, vni, code, message: errorMessage(error) });
    };
    const here = intent.segments.filter((segment) => {
      if (ownPorts(segment, node).length === 0) return false;
      const reason = cannotCarry(segment);
      if (reason !== undefined) refuse(segment, reason);
      return reason === undefined;
    });
    // Nothing passes by tables of before while those of now are made.
    inputs.clear();
    const before = carriers;
    carriers = [];
    await Promise.all(before.map(({ socket }) => close(socket)));
    const standing: SegmentIntent[] = [];
    const made: Carrier[] = [];
    for (const [path, segments] of Map.groupBy(here, ({ encryption }) => segmentPath(encryption))) {
      try {
        made.push(await openCarrier({ ...intent, segments }, path));
        standing.push(...segments);
      } catch (error) {
        for (const segment of segments) refuse(segment, error);
      }
    }
    const { opened, closed } = await attach(standing, refuse);
    for (const { nodeSwitch } of made) {
      for (const [number, { vni, intent: port }] of nodeSwitch.ports.entries()) {
        inputs.set(portEndName(vni, port), (bytes, { start, end }) => {
          const length = end - start;
          scratch.set(bytes.subarray(start, end), frameAt);
          nodeSwitch.fromPort(number, scratch, { start: frameAt, end: frameAt + length });
        });
      }
    }
    carriers = made;
    return { opened, closed, refused };
  }

  async function openCarrier(intent: FabricIntent, path: SegmentPath): Promise<Carrier> {
    const own = intent.nodes.find(({ name }) => name === node);
    if (own === undefined) {
      throw new TaplineError('node_unknown', `node ${node} is not among the fabric's`);
    }
    const local = reachedAt(own, path);
    const { vxlanPort } = intent;
    const device = deviceOf(path);
    const addresses: string[] = [];
    const nodeSwitch = createNodeSwitch({
      intent,
      node,
      counters,
      output: {
        toPort(number, bytes, range) {
          const port = nodeSwitch.ports[number];
          const taken = port && ports.get(portEndName(port.vni, port.intent))?.send(bytes, range);
          if (taken !== true) sendErrors += 1;
        },
        toPeer(peer, bytes, { start, end }) {
          // A copy: it may wait, and these bytes are the next frame's.
          const packet = Buffer.from(bytes.subarray(start, end));
          socket.send(packet, vxlanPort, addresses[peer], (error) => {
            if (error !== null) notSent(packet, error);
          });
        },
      },
    });
    addresses.push(...nodeSwitch.peers.map(({ node: peer }) => reachedAt(peer, path)));
    const fd = openUdpDescriptor({
      address: local,
      port: vxlanPort,
      ...(device !== undefined && { device }),
    });
    const socket = createSocket(local.includes(':') ? 'udp6' : 'udp4');
    // Its callback: a descriptor is bound already, so the event may come before anybody waits for it.
    await new Promise<void>((resolve) => socket.bind({ fd, exclusive: true }, resolve));
    // Such as that nobody listens at a peer: the next packet may be taken.
    socket.on('error', () => (sendErrors += 1));
    const peers = new Map(addresses.map((address, at) => [addressKey(addressBytes(address)), at]));
    socket.on('message', (packet: Buffer, { address }: RemoteInfo) => {
      const peer = peers.get(addressKey(addressBytes(address)));
      if (peer === undefined) strangers += 1;
      else nodeSwitch.fromPeer(peer, packet, { start: 0, end: packet.length });
    });
    return { path, local, vxlanPort, addresses, socket, nodeSwitch };
  }

  function notSent(packet: Uint8Array, error: Error): void {
    sendErrors += 1;
    const header = { vni: 0, group: 0 };
    if (!isSystemError(error, 'EMSGSIZE')) return;
    if (!readVxlanHeader(packet, { start: 0, end: packet.length }, header)) return;
    const counter = counters.get(header.vni);
    if (counter !== undefined) counter.tooLargeForWay += 1;
  }

  async function attach(
    standing: readonly SegmentIntent[],
    refuse: (segment: SegmentIntent, error: unknown) => void,
  ): Promise<Pick<DatapathOutcome, 'opened' | 'closed'>> {
    const wanted = new Map(
      standing.flatMap((segment) =>
        ownPorts(segment, node).map((port) => [portEndName(segment.vni, port), { segment, port }]),
      ),
    );
    const closed = [...ports.keys()].filter((name) => !wanted.has(name));
    for (const name of closed) {
      await ports.get(name)?.[Symbol.asyncDispose]();
      ports.delete(name);
    }
    const opened: string[] = [];
    for (const [name, { segment, port }] of wanted) {
      if (ports.has(name)) continue;
      try {
        const opening = openFramePort({
          path: pathOf(segment, port),
          facts: {
            mac: portMac(segment.vni, port.index),
            addresses: port.addresses,
            mtu: segment.mtu,
          },
          onFrame: (bytes, range) => inputs.get(name)?.(bytes, range),
        });
        ports.set(name, await opening);
        opened.push(name);
      } catch (error) {
        refuse(segment, error);
      }
    }
    return { opened, closed };
  }

  /** A node's own port is known by its segment alone. */
  function pathOf({ vni }: SegmentIntent, { owner, index }: PortIntent): string {
    return join(folder, `${vni}${owner === node ? '' : `.${index}`}.sock`);
  }

  return {
    apply(intent) {
      const serve = serving.then(() => apply(intent));
      serving = serve.catch(() => undefined);
      return serve;
    },
    counters: (): Promise<DatapathCounters> =>
      Promise.resolve({
        segments: [...counters].map(([vni, own]) => ({ vni, counters: own })),
        strangers,
        sendErrors,
      }),
    tables: (): Promise<readonly SwitchedSegments[]> =>
      Promise.resolve(
        carriers.map(({ path, local, vxlanPort, addresses, nodeSwitch }) => ({
          path,
          local,
          vxlanPort,
          segments: [...nodeSwitch.segments.values()],
          peers: nodeSwitch.peers.map(({ node: peer }, at) => ({
            node: peer.name,
            address: addresses[at] ?? '',
          })),
          open: nodeSwitch.ports
            .map(({ vni, intent }) => portEndName(vni, intent))
            .filter((name) => ports.has(name)),
        })),
      ),
    planned: (intent, names) =>
      intent.segments.flatMap((segment) =>
        ownPorts(segment, node)
          .filter((port) => names.has(portEndName(segment.vni, port)))
          .map((port) => `listen ${pathOf(segment, port)}`),
      ),
    async [Symbol.asyncDispose]() {
      await serving;
      inputs.clear();
      await Promise.all(carriers.map(({ socket }) => close(socket)));
      for (const port of ports.values()) await port[Symbol.asyncDispose]();
    },
  };
}

function ownPorts({ ports }: SegmentIntent, node: string): readonly PortIntent[] {
  return ports.filter((port) => port.node === node);
}

async function close(socket: Socket): Promise<void> {
  const closed = once(socket, 'close');
  socket.close();
  await closed;
}
