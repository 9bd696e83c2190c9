import { randomBytes } from 'node:crypto';
import { type FabricMetrics, nodeFrameAead } from '@tapline/fabric';
import {
  type FabricIntent,
  keyPhase,
  MacsecSender,
  type NodeIntent,
  portEndName,
  portMac,
  type PortRole,
} from '@tapline/segments';
import { eventually, haveProgram, temporaryFolder } from '@tapline/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FrameProbe, type SeenFrame, startFrameProbe } from './support/frame-probe.ts';
import { measureMatrix, policyMatrix } from './support/measure-matrix.ts';
import { networkUnavailable } from './support/network-unavailable.ts';
import { type Namespace, openNamespace } from './support/open-namespace.ts';
import { magic, type TestEnd, trafficClasses } from './support/traffic-classes.ts';
import { startUserSpaceNode, type UserSpaceNode } from './support/userspace-node.ts';

const unavailable = networkUnavailable(haveProgram, ['ip', 'nft', 'ping', 'python3']);
const vni = 0x70_00_07;
const roles: readonly PortRole[] = [
  { kind: 'promiscuous' },
  { kind: 'isolated' },
  { kind: 'community', community: 'a' },
  { kind: 'isolated' },
  { kind: 'community', community: 'a' },
  { kind: 'promiscuous' },
];

describe.skipIf(unavailable !== undefined)(`MACsec in user space ${unavailable ?? ''}`, () => {
  const opened = new AsyncDisposableStack();
  const nodes: UserSpaceNode[] = [];
  let links: readonly NodeIntent[];
  let workloads: readonly Namespace[];
  let probe: FrameProbe;
  /** Somebody on the same link, who hears all of it. */
  let listener: FrameProbe;
  let ends: readonly TestEnd[];

  beforeAll(async () => {
    const { path: folder } = opened.use(await temporaryFolder());
    const lan = opened.use(openNamespace('lan'));
    const stranger = opened.use(openNamespace('stranger'));
    const quiet =
      'sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1';
    // Without a memory for addresses it is a hub.
    lan.run(
      `${quiet}; ip link add lan type bridge ageing_time 0 mcast_snooping 0; ip link set lan up`,
    );
    const spaces = [1, 2, 3].map((number) => opened.use(openNamespace(`n${number}`)));
    for (const [index, { name }] of [...spaces, stranger].entries()) {
      lan.run(`ip link add l${index} type veth peer name eth1 netns ${name}
        ip link set l${index} master lan up`);
    }
    stranger.run(`${quiet}; ip link set eth1 up`);
    links = spaces.map((space, index) => {
      // The node's other interface, which nothing of this goes over.
      space.run(`${quiet}; ip link add eth0 type bridge
        ip address add 192.0.2.${index + 1}/32 dev eth0; ip link set eth0 up`);
      return {
        name: `n${index + 1}`,
        vtep: `10.99.0.${index + 1}`,
        underlay: `192.0.2.${index + 1}`,
        link: {
          interface: 'eth1',
          address: `198.51.100.${index + 1}`,
          prefixLength: 24,
          mac: space.run('cat /sys/class/net/eth1/address').trim(),
        },
      };
    });
    workloads = roles.map((_, number) => opened.use(openNamespace(`w${number + 1}`)));
    for (const [index, { name }] of spaces.entries()) {
      nodes.push(opened.use(await startUserSpaceNode(name, `n${index + 1}`, folder)));
    }
    const intents = await intentsOf(0);
    for (const [index, node] of nodes.entries()) await node.stand(intents[index] ?? fail());
    // The hub takes its time to see that its ports have somebody.
    for (const [from, to] of [
      [0, 2],
      [0, 3],
      [1, 3],
    ] as const) {
      await eventually('a way over the link', () => {
        const ping = `ping -c 1 -W 1 198.51.100.${to}`;
        return spaces[from]?.tryRun(ping) !== '';
      });
    }
    const ports = intents[0]?.segments[0]?.ports ?? [];
    ends = ports.map((port) => ({
      intent: port,
      mac: portMac(vni, port.index),
      ipv4: port.addresses[0] ?? '',
    }));
    probe = opened.use(
      await startFrameProbe(
        ports.map((port, number) => ({
          namespace: `/run/netns/${workloads[number]?.name}`,
          interface: portEndName(vni, port),
        })),
      ),
    );
    const place = { namespace: `/run/netns/${stranger.name}`, interface: 'eth1' };
    listener = opened.use(await startFrameProbe([place]));
  }, 60_000);
  afterAll(async () => {
    await opened.disposeAsync();
  });

  /** What the control plane would tell each node at that step. */
  async function intentsOf(step: number): Promise<readonly FabricIntent[]> {
    const keys = await Promise.all(nodes.map((node) => node.keys()));
    const phase = keyPhase(step);
    return await Promise.all(
      nodes.map(async (_, index): Promise<FabricIntent> => {
        const to = keys[index]?.publicKey ?? '';
        const known = links.map(async (link, other) => ({
          ...link,
          agreementKey: keys[other]?.publicKey ?? '',
          keyGeneration: keys[other]?.generation ?? 0,
          wrappedKeys:
            (await nodes[other]?.seal(phase.receive.map((epoch) => ({ to, epoch })))) ?? [],
        }));
        return {
          vxlanPort: 4789,
          nodes: await Promise.all(known),
          keys: phase,
          segments: [
            {
              name: 'news',
              vni,
              subnet: '10.7.0.0/24',
              mtu: 1418,
              encryption: { underlay: 'none', link: 'macsec' },
              communities: { a: 16 },
              ports: roles.map((role, number) => ({
                node: `n${Math.floor(number / 2) + 1}`,
                index: number + 1,
                incarnation: 1,
                owner: `w${number + 1}`,
                addresses: [`10.7.0.${number + 1}`],
                role,
                attach: { kind: 'namespace', path: `/run/netns/${workloads[number]?.name}` },
              })),
            },
          ],
        };
      }),
    );
  }

  async function matrix(
    name: string,
    expected: readonly string[] = policyMatrix(ends),
  ): Promise<readonly string[]> {
    const traffic = trafficClasses.find((item) => item.name === name);
    if (traffic === undefined) throw new Error(`no traffic ${name}`);
    return await measureMatrix(probe, ends, traffic, expected);
  }

  async function drops(node: number): Promise<Readonly<Record<string, number>>> {
    const found = (await nodes[node]?.metrics()) as FabricMetrics;
    return found.drops;
  }

  /** Frames of ours that came to a port; workloads' own kernels talk, too. */
  async function marked(): Promise<readonly SeenFrame[]> {
    return (await probe.settle()).filter(({ frame }) => frame.includes(magic, 0, 'hex'));
  }

  /** Frames between nodes, as the stranger hears them; it may be behind the workloads. */
  async function heard(): Promise<readonly SeenFrame[]> {
    const frames: SeenFrame[] = [];
    await eventually('frames between nodes are heard', async () => {
      frames.push(...(await listener.settle()));
      return frames.length > 10;
    });
    return frames;
  }

  test.each(['UDP', 'raw frames', 'broadcast'])(
    '%s: cell by cell what the policy says, and nothing of it readable on the link',
    async (name) => {
      // The first packet may wait for its neighbour.
      await matrix(name, []);
      await listener.settle();
      expect(await matrix(name)).toEqual(policyMatrix(ends));
      const frames = await heard();
      expect(frames.length).toBeGreaterThan(10);
      expect(new Set(frames.map(({ frame }) => frame.readUInt16BE(12)))).toEqual(new Set([0x88e5]));
      expect(frames.some(({ frame }) => frame.includes(magic, 0, 'hex'))).toBe(false);
    },
  );

  test('what was heard and is sent again is taken by nobody, and counted', async () => {
    await matrix('UDP');
    const frames = (await heard()).slice(-20);
    await probe.settle();
    const before = await drops(0);
    for (const { frame } of frames) listener.send(0, frame);
    await eventually('they are counted', async () => {
      const now = (await drops(0))['macsec_replay'] ?? 0;
      return now > (before['macsec_replay'] ?? 0);
    });
    expect(await marked()).toEqual([]);
  });

  test('a frame under a wrong key is taken by nobody, and counted', async () => {
    await matrix('UDP');
    const own = (await heard()).map(({ frame }) => frame).find((frame) => frame.length > 60);
    if (own === undefined) throw new Error('nothing was heard');
    const sender = new MacsecSender({
      aead: nodeFrameAead,
      sci: Uint8Array.from(own.subarray(20, 28)),
      sendSci: true,
      encrypt: true,
    });
    sender.install(0, { cipher: 'gcm-aes-256', key: randomBytes(32) }, { high: 0, low: 1_000_000 });
    sender.activate(0);
    await probe.settle();
    const before = await Promise.all([0, 1, 2].map(drops));
    const plain = Buffer.concat([own.subarray(0, 12), Buffer.from('0800', 'hex'), randomBytes(80)]);
    const forged = Buffer.alloc(plain.length + 40);
    for (let count = 0; count < 5; count += 1) {
      const length = sender.protect(plain, { start: 0, end: plain.length }, forged);
      listener.send(0, forged.subarray(0, length));
    }
    let forgeries: readonly number[] = [];
    await eventually('they are counted', async () => {
      const after = await Promise.all([0, 1, 2].map(drops));
      forgeries = after.map((now, index) => {
        const then = before[index] ?? {};
        return (now['macsec_forged'] ?? 0) - (then['macsec_forged'] ?? 0);
      });
      return forgeries.some((count) => count >= 5);
    });
    expect(Math.max(...forgeries)).toBe(5);
    expect(await marked()).toEqual([]);
  });

  test('what is in the clear on the link is for nobody', async () => {
    const target = links[1]?.link?.mac.replaceAll(':', '') ?? '';
    await probe.settle();
    listener.send(0, Buffer.from(`${target}0600000000aa0800${magic}${'00'.repeat(60)}`, 'hex'));
    expect(await marked()).toEqual([]);
  });

  test('another epoch of keys, step by step: everything passes at each', async () => {
    for (const step of [1, 2, 3]) {
      const intents = await intentsOf(step);
      for (const [index, node] of nodes.entries()) {
        await node.stand(intents[index] ?? fail());
        expect([step, index, ...(await matrix('raw frames'))]).toEqual([
          step,
          index,
          ...policyMatrix(ends),
        ]);
      }
    }
  }, 60_000);

  test('a node that was killed is cut off, and comes back with other keys', async () => {
    await nodes[2]?.kill();
    const left = [...policyMatrix(ends.slice(0, 4))];
    expect(await matrix('raw frames', left)).toEqual(left);
  });
});

function fail(): never {
  throw new Error('no intent');
}
