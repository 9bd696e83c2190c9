import {
  checkCertificate,
  type FabricIntent,
  type NodeState,
  portEndName,
  type SegmentIntent,
  verifyFabric,
} from '@tapline/segments';
import { haveProgram, temporaryFolder } from '@tapline/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { debianUnavailable } from '../../../tools/debian/debian-unavailable.ts';
import { policyMatrix } from '../support/measure-matrix.ts';
import { type TestEnd, trafficClasses } from '../support/traffic-classes.ts';
import { type AttachedPorts, openAttachedPorts } from './attached-ports.ts';
import { openVm, type Sighting, type Vm } from './open-vm.ts';
import {
  keyedIntents,
  openVmNodes,
  vmEnds,
  type VmNode,
  vmNodes,
  vmSegment,
  vmSetUp,
} from './vm-fabric.ts';
import { matrixFrames, matrixOf, numberedFrame } from './vm-frames.ts';

const unavailable =
  (await debianUnavailable()) ?? (haveProgram('python3') ? undefined : 'needs python3');

/** Segments of the comparison of layouts; none unless asked for. */
const many = Number(process.env['TAPLINE_VM_SEGMENTS'] ?? 0);

const honest = new Set(trafficClasses.flatMap((traffic) => (traffic.honest ? [traffic.name] : [])));
const classes = trafficClasses.map(({ name }) => name);

describe.skipIf(unavailable !== undefined)(`in Debian's kernel ${unavailable ?? ''}`, () => {
  let opened: AsyncDisposableStack;
  let vm: Vm;
  let nodes: readonly VmNode[];
  let attached: AttachedPorts;

  beforeAll(async () => {
    opened = new AsyncDisposableStack();
    const { path: folder } = opened.use(await temporaryFolder());
    attached = opened.use(await openAttachedPorts(folder));
    const setUp = `${vmSetUp()}\n${attached.setUp}`;
    vm = opened.use(await openVm(setUp, { devices: attached.devices }));
    nodes = (await openVmNodes(vm, { folder })).map((node) => opened.use(node));
  }, 300_000);
  afterAll(async () => {
    await opened.disposeAsync();
  }, 60_000);

  /** What an agent does: applies, and looks whether anything is left to do. */
  async function stand(intents: ReadonlyMap<string, FabricIntent>): Promise<void> {
    for (const { name, fabric } of nodes) {
      const intent = intents.get(name);
      if (intent === undefined) throw new Error(`no intent of ${name}`);
      const { conditions } = await fabric.apply(intent);
      expect(conditions.map(({ reason, message }) => [reason, message])).toEqual(
        intent.segments.map(({ vni }) => ['Applied', `VNI ${vni} stands`]),
      );
    }
    // One of them is enough to see what the kernel shows otherwise than it was told.
    expect(await nodes[1]?.fabric.plan(intents.get('n2') ?? fail())).toEqual([]);
  }

  /** The node that did not rotate with the others. */
  async function follow(intents: ReadonlyMap<string, FabricIntent>): Promise<void> {
    await nodes[1]?.fabric.apply(intents.get('n2') ?? fail());
  }

  async function listen({ vni, ports }: SegmentIntent): Promise<void> {
    await vm.listen(
      ports.map((port) => [`/run/netns/${port.owner}`, portEndName(vni, port)] as const),
    );
  }

  async function measured(name: string, segment: SegmentIntent): Promise<Sighting> {
    return await vm.send(matrixFrames(name, vmEnds(segment)));
  }

  async function asThePolicySays(
    segment: SegmentIntent,
    wire: string,
    names: readonly string[] = classes,
  ): Promise<void> {
    const ends = vmEnds(segment);
    for (const name of names) {
      const sighting = await measured(name, segment);
      const expected = honest.has(name) ? policyMatrix(ends) : [];
      expect([name, ...matrixOf(sighting, ends)]).toEqual([name, ...expected]);
      expect(sighting.wire['readable']).toBeUndefined();
      expect(sighting.wire['udp']).toBeUndefined();
      // What nobody may get does not have to leave its node.
      expect(honest.has(name) ? sighting.wire[wire] : 1).toBeGreaterThan(0);
    }
  }

  /** Cells of nodes that are cut off from all others, and of the others among themselves. */
  function cutOff(segment: SegmentIntent, names: readonly string[]): readonly string[] {
    const ends = vmEnds(segment);
    const alone = names.flatMap((name) =>
      policyMatrix(ends.filter(({ intent }) => intent.node === name)),
    );
    const left = ends.filter(({ intent }) => !names.includes(intent.node));
    return [...policyMatrix(left), ...alone].toSorted();
  }

  async function rotateUnderTraffic(segment: SegmentIntent, from: number): Promise<void> {
    const [source, , , , target] = vmEnds(segment);
    if (source === undefined || target === undefined) throw new Error('no ports');
    const frame = numberedFrame(source, target);
    const { sent, arrived, wire } = await vm.stream({ from: 0, to: 4, frame }, async () => {
      for (const step of [1, 2, 3]) {
        const intents = await keyedIntents(nodes, [segment], from + step);
        // Those two that the frames are between; the third comes after them.
        for (const { name, fabric } of nodes.filter((node) => node.name !== 'n2')) {
          await fabric.apply(intents.get(name) ?? fail());
        }
      }
    });
    expect([sent, arrived]).toEqual([sent, sent]);
    expect(sent).toBeGreaterThan(50);
    expect(wire['readable']).toBeUndefined();
    expect(wire['udp']).toBeUndefined();
  }

  test('network devices of a machine, attached by sockets: the policy’s matrix, and its kernels talk', async () => {
    const { ends, intents, fabrics } = attached;
    await vm.listen(ends.map((_, at) => [`/run/netns/g${at + 1}`, 'port'] as const));
    for (const { name, honest: isHonest } of trafficClasses) {
      const sighting = await vm.send(matrixFrames(name, ends));
      const expected = isHonest ? policyMatrix(ends) : [];
      expect([name, ...matrixOf(sighting, ends)]).toEqual([name, ...expected]);
    }
    const pings = async (from: number, to: number): Promise<boolean> => {
      const words = ['ping', '-c', '1', '-W', '2', ends[to]?.ipv4 ?? ''];
      return (await vm.run(`g${from + 1}`, words)).code === 0;
    };
    // Promiscuous with the other node's isolated port; isolated with isolated.
    expect([await pings(0, 3), await pings(3, 0), await pings(1, 3)]).toEqual([true, true, false]);
    const found = fabrics.map(async ([name, fabric]) => [name, await fabric.observe()] as const);
    const { result, findings } = verifyFabric(intents, new Map(await Promise.all(found)));
    expect([result, findings.map(({ message }) => message)]).toEqual(['verified', []]);
  }, 120_000);

  test('IPsec: the policy’s matrix, rotation without a loss, shut where a part is gone, mended', async () => {
    const segment = vmSegment(7000, { underlay: 'ipsec', link: 'none' });
    await stand(await keyedIntents(nodes, [segment], 0));
    await listen(segment);
    await asThePolicySays(segment, 'esp');
    await rotateUnderTraffic(segment, 0);
    const intents = await keyedIntents(nodes, [segment], 3);
    await follow(intents);
    const ends = vmEnds(segment);
    const breaks = [
      ['n1', ['ip', 'xfrm', 'state', 'flush'], ['n1']],
      ['n1', ['ip', 'xfrm', 'policy', 'flush'], ['n1']],
      ['n2', ['nft', 'delete', 'table', 'inet', 'tapline_ipsec'], ['n1']],
      ['n2', ['ip', 'xfrm', 'state', 'flush'], ['n1', 'n2']],
    ] as const;
    for (const [node, command, cut] of breaks) {
      expect((await vm.run(node, command)).code).toBe(0);
      const sighting = await measured('raw frames', segment);
      expect([command, ...matrixOf(sighting, ends)]).toEqual([command, ...cutOff(segment, cut)]);
      expect(sighting.wire['readable']).toBeUndefined();
    }
    // Nothing encrypts where it is sent, and where it arrives are no rules: policies alone keep it out.
    for (const [node, command] of [
      ['n1', ['nft', 'delete', 'table', 'inet', 'tapline_ipsec']],
      ['n2', ['nft', 'flush', 'table', 'inet', 'tapline']],
    ] as const) {
      expect((await vm.run(node, command)).code).toBe(0);
    }
    const plain = await measured('raw frames', segment);
    expect(plain.wire['readable']).toBeGreaterThan(0);
    expect(matrixOf(plain, ends)).toEqual(cutOff(segment, ['n1', 'n2']));
    // What was sent with is gone, and never sent with again: others take its place.
    const before = await keyedIntents(nodes, [segment], 3);
    for (const { name, fabric } of nodes.slice(0, 2)) {
      await fabric.apply(before.get(name) ?? fail());
    }
    const after = await keyedIntents(nodes, [segment], 3);
    const generations = after.get('n3')?.nodes.map(({ keyGeneration }) => keyGeneration);
    expect(generations).toEqual([2, 2, 1]);
    await stand(after);
    await asThePolicySays(segment, 'esp', ['raw frames']);
    const metrics = await nodes[0]?.fabric.metrics();
    expect(metrics?.espKeyAgeSeconds).toBeLessThan(300);
  }, 300_000);

  test('MACsec: the policy’s matrix, rotation without a loss, a shut parent, mended', async () => {
    const segment = vmSegment(7001, { underlay: 'none', link: 'macsec' });
    // From one encryption to the other in one go; four association numbers in turn: 2, 3, 0.
    await stand(await keyedIntents(nodes, [segment], 6));
    await listen(segment);
    await asThePolicySays(segment, 'macsec');
    await rotateUnderTraffic(segment, 6);
    const intents = await keyedIntents(nodes, [segment], 9);
    await follow(intents);
    expect((await vm.run('n1', ['ip', 'link', 'delete', 'tm0'])).code).toBe(0);
    // Its address on the bare link: what would leave there leaves nowhere.
    const address = ['ip', 'address', 'add', '198.51.100.1/24', 'dev', 'eth1'];
    expect((await vm.run('n1', address)).code).toBe(0);
    const sighting = await measured('raw frames', segment);
    expect(matrixOf(sighting, vmEnds(segment))).toEqual(cutOff(segment, ['n1']));
    expect(Object.keys(sighting.wire)).toEqual(['macsec']);
    await vm.run('n1', ['ip', 'address', 'flush', 'dev', 'eth1']);
    const [first] = nodes;
    const again = await keyedIntents(nodes, [segment], 9);
    await first?.fabric.apply(again.get('n1') ?? fail());
    await stand(await keyedIntents(nodes, [segment], 9));
    await asThePolicySays(segment, 'macsec', ['raw frames']);
    expect((await first?.fabric.metrics())?.macsecKeyAgeSeconds).toBeLessThan(300);
  }, 300_000);

  test('without segments nothing of it is left', async () => {
    await stand(await keyedIntents(nodes, [], 9));
    for (const { name } of nodes) {
      const { stdout } = await vm.run(name, ['nft', 'list', 'tables']);
      expect(stdout).toBe('');
      expect((await vm.run(name, ['ip', 'xfrm', 'state'])).stdout).toBe('');
      expect((await vm.run(name, ['ip', 'xfrm', 'policy'])).stdout).toBe('');
      expect((await vm.run(name, ['ip', 'link', 'show', 'tm0'])).code).not.toBe(0);
    }
  }, 60_000);

  test('segments that are VLANs of one bridge: the policy’s matrix, none across, proven, broken and mended', async () => {
    const encryptions = [
      { underlay: 'none', link: 'none' },
      { underlay: 'ipsec', link: 'none' },
      { underlay: 'none', link: 'macsec' },
    ] as const;
    // All roles in the first, and one port on each node in the others: the machine has no hurry.
    const segments = encryptions.map((encryption, number) =>
      vmSegment(7010 + number, encryption, (index) => number === 0 || index % 2 === 1),
    );
    const aware = await vlanNodes();
    const intents = await keyedIntents(aware, segments, 9);
    for (const { name, fabric } of aware) {
      const { conditions } = await fabric.apply(intents.get(name) ?? fail());
      expect(conditions.filter(({ ready }) => !ready)).toEqual([]);
    }
    expect(await aware[0]?.fabric.plan(intents.get('n1') ?? fail())).toEqual([]);
    // Indexes are of a segment: here each end has a number of its own.
    const ends = segments.flatMap((segment, number) =>
      vmEnds(segment).map((end) => ({
        ...end,
        intent: { ...end.intent, index: end.intent.index + number * 16 },
      })),
    );
    const policy = segments.flatMap((_, number) =>
      policyMatrix(ends.filter(({ intent }) => intent.index >> 4 === number)),
    );
    await vm.listen(
      segments.flatMap(({ vni, ports }) =>
        ports.map((port) => [`/run/netns/${port.owner}`, portEndName(vni, port)] as const),
      ),
    );
    for (const name of classes) {
      const sighting = await vm.send(matrixFrames(name, ends));
      const expected = honest.has(name) ? policy.toSorted() : [];
      expect([name, ...matrixOf(sighting, ends)]).toEqual([name, ...expected]);
    }
    const counted = await aware[0]?.fabric.metrics();
    for (const { vni } of segments) {
      const one = counted?.segments.find((entry) => entry.vni === vni);
      expect([vni, one?.receivedPackets, one?.sentBytes]).not.toContain(0);
    }
    const [mixed] = segments;
    expect(counted?.segments.find(({ vni }) => vni === mixed?.vni)?.policyDrops).toBeGreaterThan(0);
    const claim = intents.get('n1') ?? fail();
    const { result, findings, certificate } = verifyFabric(claim, await statesOf(aware));
    expect([result, findings.map(({ message }) => message)]).toEqual(['verified', []]);
    checkCertificate(certificate ?? fail(), claim, await statesOf(aware));

    // Without VLANs its frames find no VNI, and marks keep segments apart that share all else.
    const [first] = aware;
    const breaks = [
      [['ip', 'link', 'set', 'tb0000', 'type', 'bridge', 'vlan_filtering', '0'], localOf],
      [['nft', 'flush', 'ruleset'], none],
    ] as const;
    for (const [command, left] of breaks) {
      expect((await vm.run('n1', command)).code).toBe(0);
      // To all: entries for one are of a VLAN, and there is none to look them up in.
      const sighting = await vm.send(matrixFrames('broadcast', ends));
      const others = policy.filter((cell) => !sentFrom(cell, ends, 'n1') || left(cell, ends));
      expect([command, ...matrixOf(sighting, ends)]).toEqual([command, ...others.toSorted()]);
      const { result: now } = verifyFabric(claim, await statesOf(aware));
      expect([command, now]).toEqual([command, left === none ? 'open' : 'verified']);
    }
    const again = await keyedIntents(aware, segments, 9);
    await first?.fabric.apply(again.get('n1') ?? fail());
    expect(await first?.fabric.plan(again.get('n1') ?? fail())).toEqual([]);
    const mended = await vm.send(matrixFrames('broadcast', ends));
    expect(matrixOf(mended, ends)).toEqual(policy.toSorted());
  }, 200_000);

  /** By command: what many segments take of a node in both layouts. */
  test.runIf(many > 0)(
    'many segments: as VLANs, and each with a bridge',
    async () => {
      const segments = Array.from({ length: many }, (_, number) => {
        const segment = vmSegment(20_000 + number, { underlay: 'none', link: 'none' });
        const prefix = `10.${number >> 8}.${number & 0xff}`;
        const ports = segment.ports.filter(({ index }) => index === 1 || index === 3);
        return {
          ...segment,
          subnet: `${prefix}.0/24`,
          ports: ports.map((port) => ({
            ...port,
            addresses: [`${prefix}.${port.index}`],
            attach: { kind: 'host' as const },
          })),
        };
      });
      const intent = { vxlanPort: 4789, nodes: vmNodes, segments };
      const available = async (): Promise<number> => {
        const { stdout } = await vm.run('r', ['cat', '/proc/meminfo']);
        return Number(/MemAvailable: *(\d+)/.exec(stdout)?.[1]);
      };
      for (const layout of ['vlans', 'devices'] as const) {
        const { path: folder } = opened.use(await temporaryFolder());
        const [node] = await openVmNodes(vm, { folder, layout });
        if (node === undefined) throw new Error('no node');
        await node.fabric.apply({ ...intent, segments: [] });
        const before = await available();
        const { state, timings } = await node.fabric.apply(intent);
        expect(state).toBe('converged');
        const kilobytes = (before - (await available())) / many;
        const { links } = await node.fabric.observe();
        process.stdout.write(
          `${layout}: ${many} segments in ${Math.round(timings.applyMs)} ms, ${links.length} devices, ${kilobytes.toFixed(0)} kB each\n`,
        );
        await node.fabric.apply({ ...intent, segments: [] });
        await node[Symbol.asyncDispose]();
      }
    },
    600_000,
  );

  async function vlanNodes(): Promise<readonly VmNode[]> {
    const { path: folder } = opened.use(await temporaryFolder());
    const found = await openVmNodes(vm, { folder, layout: 'vlans' });
    return found.map((node) => opened.use(node));
  }
});

async function statesOf(nodes: readonly VmNode[]): Promise<ReadonlyMap<string, NodeState>> {
  const states = nodes.map(async ({ name, fabric }) => [name, await fabric.observe()] as const);
  return new Map(await Promise.all(states));
}

function endOf(number: string | undefined, ends: readonly TestEnd[]): TestEnd | undefined {
  return ends.find(({ intent }) => intent.index === Number(number));
}

function sentFrom(cell: string, ends: readonly TestEnd[], node: string): boolean {
  return endOf(cell.split('>')[0], ends)?.intent.node === node;
}

/** Between two ports of one node. */
function localOf(cell: string, ends: readonly TestEnd[]): boolean {
  const [from, to] = cell.split('>').map((number) => endOf(number, ends)?.intent.node);
  return from === to;
}

function none(): boolean {
  return false;
}

function fail(): never {
  throw new Error('no intent');
}
