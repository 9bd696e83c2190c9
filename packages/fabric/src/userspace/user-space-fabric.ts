import { type Clock, TaplineError } from '@tapline/base';
import {
  emptyState,
  type FabricIntent,
  portEndName,
  portMac,
  type SegmentIntent,
} from '@tapline/segments';
import type { Fabric, FabricMetrics } from '../fabric.ts';
import { portBatches } from './configure-ports.ts';
import { UserSpaceDatapath } from './user-space-datapath.ts';

export interface UserSpaceFabricOptions {
  readonly node: string;
  readonly clock: Clock;
  /** MTU of the device that carries the underlay's address. */
  readonly underlayMtu: number;
  /** The node's WireGuard, where it has one; its device carries encrypted segments. */
  readonly wireguardKey?: () => Promise<string>;
}

/** A node's part of all segments without the kernel's bridge, VXLAN and rules. */
export async function openUserSpaceFabric(options: UserSpaceFabricOptions): Promise<Fabric> {
  const { node, clock, underlayMtu, wireguardKey } = options;
  const datapath = await UserSpaceDatapath.start({ node });
  let standing: readonly SegmentIntent[] = [];

  const ours = (intent: FabricIntent): readonly SegmentIntent[] =>
    intent.segments.filter(({ ports }) => ports.some((port) => port.node === node));
  const ownPorts = (segment: SegmentIntent) => segment.ports.filter((port) => port.node === node);

  return {
    async apply(intent) {
      const startedAt = clock.monotonic();
      const { opened, closed, refused } = await datapath.apply(intent);
      const reasons = new Map(refused.map((item) => [item.vni, item]));
      standing = ours(intent).filter(({ vni }) => !reasons.has(vni));
      return {
        state: refused.length === 0 ? 'converged' : standing.length === 0 ? 'failed' : 'degraded',
        conditions: ours(intent).map(({ name, vni }) => ({
          segment: name,
          vni,
          ready: !reasons.has(vni),
          reason: reasons.get(vni)?.code ?? 'Applied',
          message: reasons.get(vni)?.message ?? 'carried in user space',
        })),
        operations: opened.length + closed.length,
        timings: { observeMs: 0, planMs: 0, applyMs: clock.monotonic() - startedAt },
      };
    },
    plan(intent) {
      const there = new Set(
        standing.flatMap((segment) =>
          ownPorts(segment).map((port) => portEndName(segment.vni, port)),
        ),
      );
      const names = ours(intent)
        .flatMap((segment) => ownPorts(segment).map((port) => portEndName(segment.vni, port)))
        .filter((name) => !there.has(name));
      const batches = portBatches(intent, { node, names: new Set(names) });
      return Promise.resolve([
        ...names.map((name) => `tap ${name}`),
        ...batches.flatMap(({ namespace, lines }) =>
          lines.map((line) =>
            namespace === undefined ? `ip ${line}` : `ip ${line} (in ${namespace})`,
          ),
        ),
      ]);
    },
    observe() {
      // Interfaces are the thread's own, and gone with it: they are what was last applied.
      const links = standing.flatMap((segment) =>
        ownPorts(segment).map((port) => ({
          name: portEndName(segment.vni, port),
          kind: 'tun',
          up: true,
          mtu: segment.mtu,
          mac: portMac(segment.vni, port.index),
        })),
      );
      return Promise.resolve({ ...emptyState, links });
    },
    async metrics(): Promise<FabricMetrics> {
      const { segments, strangers, sendErrors } = await datapath.counters();
      const drops: Record<string, number> = { drop_strangers: strangers, drop_send: sendErrors };
      for (const { counters } of segments) {
        for (const [reason, count] of Object.entries(counters.dropped)) {
          drops[`drop_${reason}`] = (drops[`drop_${reason}`] ?? 0) + count;
        }
      }
      return {
        segments: segments.map(({ vni, counters }) => ({
          vni,
          receivedPackets: counters.fromPeers,
          receivedBytes: counters.fromPeerBytes,
          sentPackets: counters.toPeers,
          sentBytes: counters.toPeerBytes,
          sendErrors: 0,
          droppedPackets: Object.values(counters.dropped).reduce((sum, count) => sum + count, 0),
        })),
        drops,
        handshakeAgeSeconds: {},
        driftMended: 0,
      };
    },
    capabilities: () =>
      Promise.resolve({
        underlayMtu,
        bridge: false,
        vxlanGbp: false,
        vnifilter: false,
        vlanFiltering: false,
        nftables: false,
        nftablesArp: false,
        clsBpf: false,
        wireguard: wireguardKey === undefined ? 'none' : 'user-space',
        ipsec: false,
        macsec: false,
      }),
    async wireguardKey() {
      if (wireguardKey !== undefined) return await wireguardKey();
      throw new TaplineError('module_missing', `node ${node} has no WireGuard`);
    },
    keys: () => Promise.reject(new TaplineError('module_missing', `node ${node} has no IPsec`)),
    sealKeys: () => Promise.resolve([]),
    [Symbol.asyncDispose]: async () => await datapath[Symbol.asyncDispose](),
  };
}
