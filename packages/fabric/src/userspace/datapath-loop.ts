import { errorMessage, isTaplineError, TaplineError } from '@tapline/base';
import {
  addressBytes,
  createNodeSwitch,
  type FabricIntent,
  macsecName,
  type NodeSwitch,
  portEndName,
  readVxlanHeader,
  type SegmentIntent,
  type SegmentPath,
  segmentPath,
  type SwitchCounters,
  type SwitchedSegments,
  wireguardName,
} from '@tapline/segments';
import { addressKey, type BatchSocket, type Destination, openBatchSocket } from './batch-socket.ts';
import type { DatapathCounters, DatapathOutcome } from './datapath-messages.ts';
import { type Libc, linux } from './libc.ts';
import { openTap } from './open-tap.ts';
import { frameAt, packetAt, type PacketPool, packetPool } from './packet-pool.ts';
import { cannotCarry, reachedAt } from './segment-carriage.ts';
import { getRawPointer } from 'node:ffi';

const slots = 64;
/** Frames of one port before the next has its turn. */
const turn = 32;

/** Segments that go the same way between nodes have one socket and one switch. */
interface Carrier {
  readonly path: SegmentPath;
  readonly local: string;
  readonly vxlanPort: number;
  /** Of peers, by their numbers in the switch. */
  readonly addresses: readonly string[];
  readonly socket: BatchSocket;
  readonly nodeSwitch: NodeSwitch;
  readonly peers: ReadonlyMap<number | string, number>;
}

interface Tap {
  readonly name: string;
  readonly fd: number;
  carrier: Carrier | undefined;
  /** Its number in the carrier's switch. */
  port: number;
}

/**
 * Frames between TAP interfaces and UDP sockets through the switch, in one thread that waits in
 * poll(2). It has no timers and no promises: whoever runs it calls `step` again and again.
 */
export class DatapathLoop {
  readonly #libc: Libc;
  readonly #node: string;
  readonly #wakeFd: number;
  readonly #taps = new Map<string, Tap>();
  readonly #counters = new Map<number, SwitchCounters>();
  #pool: PacketPool = packetPool(slots, 1600);
  #carriers: Carrier[] = [];
  #tapList: Tap[] = [];
  #descriptors = new Uint8Array(8);
  #strangers = 0;
  #sendErrors = 0;

  constructor(libc: Libc, options: { readonly node: string; readonly wakeFd: number }) {
    this.#libc = libc;
    this.#node = options.node;
    this.#wakeFd = options.wakeFd;
    this.#listen();
  }

  /** Makes switches, sockets and interfaces what the intent says; what cannot stand is refused. */
  apply(intent: FabricIntent): DatapathOutcome {
    const here = intent.segments.filter(({ ports }) =>
      ports.some(({ node }) => node === this.#node),
    );
    const refused: DatapathOutcome['refused'][number][] = [];
    const refuse = (segment: SegmentIntent, error: unknown): void => {
      const code = isTaplineError(error) ? error.code : 'internal';
      refused.push({ segment: segment.name, vni: segment.vni, code, message: errorMessage(error) });
    };
    const carried = here.filter((segment) => {
      const reason = cannotCarry(segment);
      if (reason !== undefined) refuse(segment, reason);
      return reason === undefined;
    });
    this.#close();
    this.#pool = packetPool(slots, Math.max(1500, ...carried.map(({ mtu }) => mtu)) + 14);
    const standing: SegmentIntent[] = [];
    for (const [kind, segments] of Map.groupBy(carried, ({ encryption }) =>
      segmentPath(encryption),
    )) {
      try {
        this.#carriers.push(this.#carrier({ ...intent, segments }, kind));
        standing.push(...segments);
      } catch (error) {
        for (const segment of segments) refuse(segment, error);
      }
    }
    const { opened, closed } = this.#attach(standing, refuse);
    this.#listen();
    return { opened, closed, refused };
  }

  counters(): DatapathCounters {
    return {
      segments: [...this.#counters].map(([vni, counters]) => ({ vni, counters })),
      strangers: this.#strangers,
      sendErrors: this.#sendErrors,
    };
  }

  /** All that frames are decided by, and which interfaces are open. */
  tables(): readonly SwitchedSegments[] {
    return this.#carriers.map((carrier) => {
      const { path, local, vxlanPort, addresses, nodeSwitch } = carrier;
      return {
        path,
        local,
        vxlanPort,
        segments: [...nodeSwitch.segments.values()],
        peers: nodeSwitch.peers.map(({ node }, number) => ({
          node: node.name,
          address: addresses[number] ?? '',
        })),
        open: this.#tapList.filter((tap) => tap.carrier === carrier).map(({ name }) => name),
      };
    });
  }

  /** Waits for frames, packets or to be woken; true when woken. */
  step(timeoutMs: number): boolean {
    const libc = this.#libc;
    const descriptors = this.#descriptors;
    const ready = libc.poll(descriptors, descriptors.length / 8, timeoutMs);
    if (ready <= 0) return false;
    let at = 8;
    for (const carrier of this.#carriers) {
      if (isReady(descriptors, at)) this.#fromUnderlay(carrier);
      at += 8;
    }
    for (const tap of this.#tapList) {
      if (isReady(descriptors, at)) this.#fromTap(tap);
      at += 8;
    }
    return isReady(descriptors, 0);
  }

  /** Closes everything; the interfaces are gone with it. */
  dispose(): void {
    this.#close();
    for (const { fd } of this.#taps.values()) this.#libc.close(fd);
    this.#taps.clear();
    this.#tapList = [];
  }

  #close(): void {
    for (const { socket } of this.#carriers) socket.close();
    this.#carriers = [];
  }

  #carrier(intent: FabricIntent, path: SegmentPath): Carrier {
    const own = intent.nodes.find(({ name }) => name === this.#node);
    if (own === undefined) {
      throw new TaplineError('node_unknown', `node ${this.#node} is not among the fabric's`);
    }
    const local = reachedAt(own, path);
    const socket = openBatchSocket(this.#libc, {
      address: local,
      port: intent.vxlanPort,
      pool: this.#pool,
      onTooLarge: (pointer) => this.#countTooLarge(pointer),
      // Bound to it, nothing leaves beside it: not even where its route is gone.
      ...deviceOf(path),
    });
    const destinations: Destination[] = [];
    const nodeSwitch = createNodeSwitch({
      intent,
      node: this.#node,
      counters: this.#counters,
      output: {
        toPort: (port, bytes, { start, end }) => this.#toTap(carrier, { port, bytes, start, end }),
        toPeer: (peer, _, { start, end }) => {
          const destination = destinations[peer];
          const pointer = this.#pool.packetPointers[Math.floor(start / this.#pool.slotBytes)];
          if (destination === undefined || pointer === undefined) return;
          socket.queue(pointer, end - start, destination);
        },
      },
    });
    const peers = new Map<number | string, number>();
    const addresses: string[] = [];
    for (const [number, { node }] of nodeSwitch.peers.entries()) {
      const address = reachedAt(node, path);
      addresses.push(address);
      peers.set(addressKey(addressBytes(address)), number);
      destinations.push(socket.destination(address, intent.vxlanPort));
    }
    const { vxlanPort } = intent;
    const carrier: Carrier = { path, local, vxlanPort, addresses, socket, nodeSwitch, peers };
    return carrier;
  }

  #attach(
    standing: readonly SegmentIntent[],
    refuse: (segment: SegmentIntent, error: unknown) => void,
  ): { readonly opened: readonly string[]; readonly closed: readonly string[] } {
    const wanted = new Map(
      standing.flatMap((segment) =>
        segment.ports
          .filter(({ node }) => node === this.#node)
          .map((port) => [portEndName(segment.vni, port), segment] as const),
      ),
    );
    const closed = [...this.#taps.keys()].filter((name) => !wanted.has(name));
    for (const name of closed) {
      this.#libc.close(this.#taps.get(name)?.fd ?? -1);
      this.#taps.delete(name);
    }
    const opened: string[] = [];
    for (const [name, segment] of wanted) {
      if (this.#taps.has(name)) continue;
      try {
        this.#taps.set(name, { name, fd: openTap(this.#libc, name), carrier: undefined, port: -1 });
        opened.push(name);
      } catch (error) {
        refuse(segment, error);
      }
    }
    this.#number();
    return { opened, closed };
  }

  /** Tells each interface its place in the switches that there are now. */
  #number(): void {
    this.#ports.clear();
    for (const carrier of this.#carriers) {
      const taps: (Tap | undefined)[] = [];
      for (const [port, { vni, intent }] of carrier.nodeSwitch.ports.entries()) {
        const tap = this.#taps.get(portEndName(vni, intent));
        if (tap !== undefined) Object.assign(tap, { carrier, port });
        taps.push(tap);
      }
      this.#ports.set(carrier, taps);
    }
  }

  readonly #ports = new Map<Carrier, readonly (Tap | undefined)[]>();

  #listen(): void {
    this.#tapList = [...this.#taps.values()];
    const all = [
      this.#wakeFd,
      ...this.#carriers.map(({ socket }) => socket.fd),
      ...this.#tapList.map(({ fd }) => fd),
    ];
    this.#descriptors = new Uint8Array(all.length * 8);
    const view = new DataView(this.#descriptors.buffer);
    for (const [index, fd] of all.entries()) {
      view.setInt32(index * 8, fd, true);
      view.setInt16(index * 8 + 4, linux.pollIn, true);
    }
  }

  #fromUnderlay({ socket, nodeSwitch, peers }: Carrier): void {
    const count = socket.receive();
    const range = { start: 0, end: 0 };
    for (let slot = 0; slot < count; slot += 1) {
      const peer = peers.get(socket.sourceOf(slot));
      if (peer === undefined) {
        this.#strangers += 1;
        continue;
      }
      range.start = slot * this.#pool.slotBytes + packetAt;
      range.end = range.start + socket.lengthOf(slot);
      nodeSwitch.fromPeer(peer, this.#pool.bytes, range);
    }
  }

  /** The VNI is in the packet's header. */
  #countTooLarge(pointer: bigint): void {
    const { bytes, slotBytes, packetPointers } = this.#pool;
    const slot = packetPointers.indexOf(pointer);
    const header = { vni: 0, group: 0 };
    const start = slot * slotBytes + packetAt;
    if (slot < 0 || !readVxlanHeader(bytes, { start, end: start + 8 }, header)) return;
    const counters = this.#counters.get(header.vni);
    if (counters !== undefined) counters.tooLargeForWay += 1;
  }

  #fromTap({ fd, carrier, port }: Tap): void {
    if (carrier === undefined) return;
    const { frames, slotBytes, bytes } = this.#pool;
    const range = { start: 0, end: 0 };
    for (let slot = 0; slot < turn; slot += 1) {
      const frame = frames[slot];
      if (frame === undefined) break;
      const length = this.#libc.read(fd, frame, frame.length);
      if (length <= 0) break;
      range.start = slot * slotBytes + frameAt;
      range.end = range.start + length;
      carrier.nodeSwitch.fromPort(port, bytes, range);
    }
    this.#sendErrors += carrier.socket.flush();
  }

  #toTap(
    carrier: Carrier,
    frame: {
      readonly port: number;
      readonly bytes: Uint8Array;
      readonly start: number;
      readonly end: number;
    },
  ): void {
    const { port, bytes, start, end } = frame;
    const tap = this.#ports.get(carrier)?.[port];
    if (tap === undefined) return;
    const pool = this.#pool;
    const pointer =
      bytes === pool.bytes
        ? pool.framePointers[Math.floor(start / pool.slotBytes)]
        : getRawPointer(bytes) + BigInt(start);
    const written = pointer === undefined ? -1 : this.#libc.write(tap.fd, pointer, end - start);
    if (written < 0) this.#sendErrors += 1;
  }
}

function deviceOf(path: SegmentPath): { readonly device?: string } {
  if (path === 'underlay') return {};
  return { device: path === 'inside' ? wireguardName : macsecName };
}

function isReady(descriptors: Uint8Array, at: number): boolean {
  return ((descriptors[at + 6] ?? 0) & (linux.pollIn | linux.pollBroken)) !== 0;
}
