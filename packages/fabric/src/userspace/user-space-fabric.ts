import { type Clock, TaplineError } from '@tapline/base';
import {
  emptyState,
  type Encryption,
  type FabricIntent,
  mergeStates,
  portEndName,
  type SegmentIntent,
  switchState,
} from '@tapline/segments';
import type { Fabric, FabricMetrics } from '../fabric.ts';
import type { Datapath } from './datapath-messages.ts';
import { UserSpaceDatapath } from './user-space-datapath.ts';

export interface UserSpaceFabricOptions {
  readonly node: string;
  readonly clock: Clock;
  /** MTU of the device that carries the underlay's address. */
  readonly underlayMtu: number;
  /** The node's WireGuard, where it has one; its device carries encrypted segments. */
  readonly wireguardKey?: () => Promise<string>;
  /** What sets up the devices that encrypt, and has the keys; without it segments are in the clear. */
  readonly underlay?: Fabric;
  /** Absent: TAP interfaces and a thread of its own. */
  readonly datapath?: Datapath;
}

/** A node's part of all segments without the kernel's bridge, VXLAN and rules. */
export async function openUserSpaceFabric(options: UserSpaceFabricOptions): Promise<Fabric> {
  const { node, clock, underlayMtu, wireguardKey, underlay } = options;
  const datapath = options.datapath ?? (await UserSpaceDatapath.start({ node }));
  let standing: readonly SegmentIntent[] = [];

  const ours = (intent: FabricIntent): readonly SegmentIntent[] =>
    intent.segments.filter(({ ports }) => ports.some((port) => port.node === node));
  const ownPorts = (segment: SegmentIntent) => segment.ports.filter((port) => port.node === node);

  /** Devices that encrypt come first; a segment that lacks its own is not switched at all. */
  async function below(intent: FabricIntent) {
    const outcome = await underlay?.apply(intent);
    const failed = (outcome?.conditions ?? []).flatMap(({ segment = '', vni, ready, ...rest }) =>
      ready || vni === undefined
        ? []
        : [{ segment, vni, code: rest.reason, message: rest.message }],
    );
    const isFailed = new Set(failed.map(({ vni }) => vni));
    const segments = intent.segments.filter(
      ({ vni, encryption }) =>
        !isFailed.has(vni) &&
        (underlay !== undefined || isPlain(encryption) || isInside(encryption)),
    );
    const without = intent.segments
      .filter((segment) => !segments.includes(segment) && !isFailed.has(segment.vni))
      .map(({ name, vni }) => ({
        segment: name,
        vni,
        code: 'module_missing',
        message: `segment ${name} asks for IPsec or MACsec, and nothing here sets it up`,
      }));
    return { segments, failed: [...failed, ...without], operations: outcome?.operations ?? 0 };
  }

  const fabric: Fabric = {
    datapath: 'user-space',
    async apply(intent) {
      const startedAt = clock.monotonic();
      const { segments, failed, operations } = await below(intent);
      const { opened, closed, refused: unswitched } = await datapath.apply({ ...intent, segments });
      const refused = [...failed, ...unswitched];
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
        operations: operations + opened.length + closed.length,
        timings: { observeMs: 0, planMs: 0, applyMs: clock.monotonic() - startedAt },
      };
    },
    async plan(intent) {
      const devices = (await underlay?.plan(intent)) ?? [];
      const there = new Set(
        standing.flatMap((segment) =>
          ownPorts(segment).map((port) => portEndName(segment.vni, port)),
        ),
      );
      const names = ours(intent)
        .flatMap((segment) => ownPorts(segment).map((port) => portEndName(segment.vni, port)))
        .filter((name) => !there.has(name));
      return [...devices, ...datapath.planned(intent, new Set(names))];
    },
    async check(intent) {
      const [open, metrics] = await Promise.all([fabric.plan(intent), fabric.metrics()]);
      return { open, metrics };
    },
    async observe() {
      const [found = emptyState, carriers] = await Promise.all([
        underlay?.observe(),
        datapath.tables(),
      ]);
      return mergeStates([found, switchState({ name: node, vtep: '', underlay: '' }, carriers)]);
    },
    async metrics(): Promise<FabricMetrics> {
      const { segments, strangers, sendErrors } = await datapath.counters();
      const keys = await underlay?.metrics();
      const drops: Record<string, number> = {
        ...keys?.drops,
        drop_strangers: strangers,
        drop_send: sendErrors,
      };
      for (const { counters } of segments) {
        for (const [reason, count] of Object.entries(counters.dropped)) {
          drops[`drop_${reason}`] = (drops[`drop_${reason}`] ?? 0) + count;
        }
      }
      return {
        handshakeAgeSeconds: {},
        driftMended: 0,
        ...keys,
        segments: segments.map(({ vni, counters }) => ({
          vni,
          receivedPackets: counters.fromPeers,
          receivedBytes: counters.fromPeerBytes,
          sentPackets: counters.toPeers,
          sentBytes: counters.toPeerBytes,
          sendErrors: 0,
          policyDrops: counters.dropped.policy,
          mtuErrors: { port: counters.dropped.tooBig, way: counters.tooLargeForWay },
          droppedPackets: Object.values(counters.dropped).reduce((sum, count) => sum + count, 0),
        })),
        drops,
      };
    },
    capabilities: async () => {
      const found = await underlay?.capabilities();
      return {
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
        macsec: 'none',
        ...found,
      };
    },
    async wireguardKey() {
      if (underlay !== undefined) return await underlay.wireguardKey();
      if (wireguardKey !== undefined) return await wireguardKey();
      throw new TaplineError('module_missing', `node ${node} has no WireGuard`);
    },
    async keys() {
      if (underlay !== undefined) return await underlay.keys();
      throw new TaplineError('module_missing', `node ${node} has nothing that encrypts`);
    },
    sealKeys: async (wanted) => (await underlay?.sealKeys(wanted)) ?? [],
    async [Symbol.asyncDispose]() {
      await datapath[Symbol.asyncDispose]();
      await underlay?.[Symbol.asyncDispose]();
    },
  };
  return fabric;
}

function isPlain({ underlay, link }: Encryption): boolean {
  return underlay === 'none' && link === 'none';
}

/** Whoever runs WireGuard: the switch is bound to its device, and refuses where there is none. */
function isInside({ underlay, link }: Encryption): boolean {
  return underlay === 'wireguard' && link === 'none';
}
