import { isTaplineError, silentLog, systemClock, TaplineError } from '@tapline/base';
import { createFabric, type FabricHelper } from '@tapline/fabric';
import {
  type FabricIntent,
  groupId,
  portEndName,
  type PortIntent,
  type PortRole,
  type SegmentIntent,
} from '@tapline/segments';
import { temporaryFolder } from '@tapline/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { vxlan } from '../support/frames.ts';
import { policyMatrix } from '../support/measure-matrix.ts';
import { arpRequest, magic, type TestEnd, trafficClasses } from '../support/traffic-classes.ts';
import { openVm, type Vm } from './open-vm.ts';
import { keyedIntents, openVmNodes, vmEnds, type VmNode, vmNodesOf, vmSetUp } from './vm-fabric.ts';
import { matrixFrames, matrixOf } from './vm-frames.ts';

/** By command, as it takes a quarter of an hour: `TAPLINE_VM_WHOLE=1`. */
const isAsked = process.env['TAPLINE_VM_WHOLE'] === '1';

const places = vmNodesOf(4);
const roles: readonly PortRole[] = [
  { kind: 'promiscuous' },
  { kind: 'isolated' },
  { kind: 'community', community: 'a' },
  { kind: 'community', community: 'b' },
];
const raw = trafficClasses.find(({ name }) => name === 'raw frames');
const quarterHour = 900_000;

describe.runIf(isAsked)('all of it in Debian’s kernel: four nodes, every type on each', () => {
  let opened: AsyncDisposableStack;
  let vm: Vm;
  let folder: string;

  beforeAll(async () => {
    opened = new AsyncDisposableStack();
    ({ path: folder } = opened.use(await temporaryFolder()));
    vm = opened.use(
      await openVm(vmSetUp(places, places.length * roles.length), { withinMs: 1_400_000 }),
    );
  }, 300_000);
  afterAll(async () => {
    await opened.disposeAsync();
  }, 60_000);

  describe.each([
    {
      name: 'ESP',
      vni: 7100,
      encryption: { underlay: 'ipsec', link: 'none' },
      layout: 'devices',
      wire: 'esp',
      // With what is taken away before it.
      modules: [
        ['nf_tables'],
        ['cls_bpf'],
        ['esp4'],
        ['esp4', 'ip xfrm state flush'],
        ['xfrm_user'],
        ['vxlan'],
        ['bridge'],
      ],
      step: 0,
    },
    {
      name: 'MACsec',
      vni: 7101,
      encryption: { underlay: 'none', link: 'macsec' },
      layout: 'devices',
      wire: 'macsec',
      modules: [['nf_tables'], ['cls_bpf'], ['macsec'], ['vxlan'], ['bridge']],
      step: 9,
    },
    {
      name: 'VLANs of one bridge',
      vni: 7102,
      encryption: { underlay: 'none', link: 'none' },
      layout: 'vlans',
      wire: 'udp',
      modules: [
        ['nf_tables'],
        ['cls_bpf'],
        ['act_skbedit'],
        ['cls_flower'],
        ['cls_flower', 'tc qdisc del dev tv0000 clsact'],
        ['vxlan'],
      ],
      step: 18,
    },
  ] as const)('$name', ({ vni, encryption, layout, wire, modules, step }) => {
    let nodes: readonly VmNode[];
    let segment: SegmentIntent;
    let ends: readonly TestEnd[];
    let policy: readonly string[];

    beforeAll(async () => {
      nodes = await openVmNodes(vm, { folder, layout, nodes: places });
      segment = segmentOf(vni, encryption);
      ends = vmEnds(segment);
      policy = policyMatrix(ends);
      await stand();
      await listen();
    }, quarterHour);
    afterAll(async () => {
      await stand([]);
      for (const node of nodes) await node[Symbol.asyncDispose]();
    }, quarterHour);

    async function intents(segments: readonly SegmentIntent[] = [segment]) {
      return await keyedIntents(nodes, segments, step);
    }

    async function stand(segments: readonly SegmentIntent[] = [segment]): Promise<void> {
      // Who lost the keys that it sent with has others after the first pass, which all have to hear of.
      for (let pass = 0; pass < 2; pass += 1) {
        const given = await intents(segments);
        for (const { name, fabric } of nodes) await fabric.apply(of(given, name));
      }
      const given = await intents(segments);
      for (const { name, fabric } of nodes) {
        expect([name, await fabric.plan(of(given, name))]).toEqual([name, []]);
      }
    }

    async function listen(): Promise<void> {
      await vm.listen(
        segment.ports.map((port) => [`/run/netns/${port.owner}`, portEndName(vni, port)] as const),
      );
    }

    async function cells(name: string): Promise<readonly string[]> {
      const sighting = await vm.send(matrixFrames(name, ends));
      const { readable = 0, udp = 0 } = sighting.wire;
      const isOpen = wire !== 'udp' && readable + udp > 0;
      expect([name, isOpen ? sighting.wire : 'closed']).toEqual([name, 'closed']);
      return matrixOf(sighting, ends);
    }

    /** Whatever arrives is allowed; which of it does is not asked. */
    async function opensNothing(what: string): Promise<void> {
      const forbidden = [];
      for (const name of ['raw frames', 'broadcast']) {
        forbidden.push(...(await cells(name)).filter((cell) => !policy.includes(cell)));
      }
      expect([what, forbidden]).toEqual([what, []]);
    }

    async function isWhole(what: string): Promise<void> {
      expect([what, ...(await cells('raw frames'))]).toEqual([what, ...policy]);
    }

    test.each(trafficClasses.map((traffic) => [traffic.name, traffic] as const))(
      '%s: cell by cell what the policy says',
      async (name, { honest }) => {
        expect(await cells(name)).toEqual(honest ? policy : []);
      },
      quarterHour,
    );

    test(
      'ARP: who may be reached is found, with its own MAC',
      async () => {
        const frames = ends.flatMap((from, at) =>
          ends.filter((to) => to !== from).map((to) => [at, arpRequest(from, to)] as const),
        );
        const { answers } = await vm.send(frames);
        const found = answers.map(([at, mac, ipv4]) => {
          const to = ends.find((end) => end.ipv4 === ipv4);
          return `${ends[at]?.intent.index}>${to?.intent.index}${to?.mac === mac ? '' : ` (${mac})`}`;
        });
        expect([...new Set(found)].toSorted()).toEqual(policy);
      },
      quarterHour,
    );

    test(
      'a group id that is not the port’s reaches nobody, whoever sends it',
      async () => {
        await vm.send([]);
        const [, second] = places;
        const address =
          (encryption.link === 'macsec' ? second?.link?.address : second?.underlay) ?? '';
        for (const from of ends.filter(({ intent }) => intent.node === 'n1')) {
          const own = groupId(from.intent.role, segment.communities);
          // An isolated port of the other node: promiscuous ports alone may reach it.
          const to = ends.find(
            ({ intent }) => intent.node === 'n2' && intent.role.kind === 'isolated',
          );
          if (to === undefined) throw new Error('no isolated port');
          const mark = `${magic}f00100${to.intent.index.toString(16).padStart(2, '0')}`;
          const frame = raw?.frame(from, to, { mark, liar: from }) ?? '';
          for (const group of [1, 0].filter((other) => other !== own)) {
            const packet = vxlan(vni, group, Buffer.from(frame, 'hex'));
            await speak('n1', address, packet);
            await speak('r', address, packet);
          }
        }
        expect((await vm.look()).seen).toEqual([]);
      },
      quarterHour,
    );

    test(
      'a flushed table, and yesterday’s, open nothing and are mended',
      async () => {
        const today = await intents();
        const [first] = nodes;
        const rotated = rotate(segment);
        const yesterday = await intents([rotated]);
        await first?.fabric.apply(of(yesterday, 'n1'));
        const { stdout: old } = await vm.run('n1', ['nft', 'list', 'ruleset']);
        expect(old).toContain('table bridge tapline');
        await first?.fabric.apply(of(today, 'n1'));
        await listen();
        const restored = `flush ruleset\n${old}`;
        for (const [command, stdin] of [
          [['nft', 'flush', 'table', 'bridge', 'tapline'], ''],
          [['nft', 'flush', 'ruleset'], ''],
          [['nft', '-f', '-'], restored],
        ] as const) {
          const { code, stderr } = await vm.run('n1', command, stdin);
          expect([command, code, stderr]).toEqual([command, 0, '']);
          await opensNothing(command.join(' '));
          await first?.fabric.apply(of(await intents(), 'n1'));
          await isWhole(`mended after ${command.join(' ')}`);
        }
      },
      quarterHour,
    );

    test(
      'a module that is taken away closes what it carried, and mends when it is back',
      async () => {
        const outcomes: string[] = [];
        for (const [module, ...before] of modules) {
          for (const command of before) {
            for (const { name } of nodes) await vm.run(name, command.split(' '));
          }
          const { code } = await vm.run('r', ['rmmod', module]);
          outcomes.push(`${module} ${code === 0 ? 'goes' : 'stays'}`);
          process.stdout.write(`${wire}: ${outcomes.at(-1)}\n`);
          if (code === 0) await doWithout(module);
          await stand();
          await listen();
          await isWhole(`with ${module} again`);
        }
        process.stdout.write(`${wire}: ${outcomes.join(', ')}\n`);
        // Filters and rules hold theirs; a device does not, and goes with it.
        expect(outcomes).toContain('nf_tables stays');
        expect(outcomes).toContain('vxlan goes');
      },
      quarterHour,
    );

    test(
      'killed after any operation of what makes a node and of what takes it away, nothing opens',
      async () => {
        let count = 0;
        for (const [from, to] of [
          [[], [segment]],
          [[segment], []],
        ]) {
          await applyAt(nodes, from ?? []);
          const kinds = await killedAfter(Number.POSITIVE_INFINITY, to ?? []);
          // Of a segment in VLANs seven, where it is taken away.
          expect(kinds.length).toBeGreaterThan(3);
          // Where another kind of operation comes next.
          const cuts = kinds.flatMap((kind, at) => (kind === kinds[at + 1] ? [] : at + 1));
          for (const cut of cuts.slice(0, -1)) {
            count += 1;
            await applyAt(nodes.slice(0, 1), from ?? []);
            // What was sent with is not sent with again, and the others have to hear of what is next.
            await applyAt(nodes.slice(1), [segment]);
            const done = await killedAfter(cut, to ?? []);
            await listen();
            await opensNothing(`after ${cut} of ${kinds.length}: ${done.slice(0, cut).at(-1)}`);
          }
        }
        process.stdout.write(`${wire}: killed at ${count} places\n`);
        await stand();
        await listen();
        await isWhole('at its return');
      },
      quarterHour,
    );

    /** It is gone: nothing opens, also not by an apply, which says that it could not; then it comes back. */
    async function doWithout(module: string): Promise<void> {
      await opensNothing(`without ${module}`);
      const applying = nodes[0]?.fabric.apply(of(await intents(), 'n1'));
      const outcome = await applying?.catch(() => undefined);
      expect([module, outcome?.state]).not.toEqual([module, 'converged']);
      await opensNothing(`applied without ${module}`);
      const { stderr } = await vm.run('r', ['insmod', `/modules/${module}.ko`]);
      expect([module, stderr]).toEqual([module, '']);
    }

    async function applyAt(
      some: readonly VmNode[],
      segments: readonly SegmentIntent[],
    ): Promise<void> {
      const given = await intents(segments);
      for (const { name, fabric } of some) await fabric.apply(of(given, name));
    }

    /** An agent of n1 whose process with rights dies after so many operations; all that it was given. */
    async function killedAfter(
      operations: number,
      segments: readonly SegmentIntent[],
    ): Promise<readonly string[]> {
      const [first] = nodes;
      if (first === undefined) throw new Error('no nodes');
      const { helper } = first;
      const given = of(await intents(segments), 'n1');
      const kinds: string[] = [];
      let left = operations;
      const alive = <T>(work: () => Promise<T>): Promise<T> =>
        left < 0 ? Promise.reject(new TaplineError('helper_gone', 'it was killed')) : work();
      const mortal: FabricHelper = {
        ...helper,
        read: (what) => alive(() => helper.read(what)),
        keys: () => alive(() => helper.keys()),
        renewKeys: () => alive(() => helper.renewKeys()),
        execute: (list, how) =>
          alive(async () => {
            kinds.push(...list.map(({ kind }) => kind));
            if (list.length > left) {
              await helper.execute(list.slice(0, left), how);
              left = -1;
              return await alive(() => helper.execute([], how));
            }
            left -= list.length;
            return await helper.execute(list, how);
          }),
      };
      const common = { clock: systemClock, log: silentLog, resyncMs: 1e9 };
      await using fabric = createFabric({ node: 'n1', helper: mortal, layout, ...common });
      await fabric.apply(given).catch((error: unknown) => {
        if (!isTaplineError(error, 'helper_gone')) throw error;
      });
      return kinds;
    }

    /** A VXLAN packet of any process, which needs no rights for it. */
    async function speak(namespace: string, address: string, packet: Uint8Array): Promise<void> {
      const script = `import _socket
s = _socket.socket(_socket.AF_INET, _socket.SOCK_DGRAM)
try:
  for n in range(3): s.sendto(bytes.fromhex('${Buffer.from(packet).toString('hex')}'), ('${address}', 4789))
except OSError: pass`;
      const { code, stderr } = await vm.run(namespace, ['python3.11', '-S', '-c', script]);
      expect([code, stderr]).toEqual([0, '']);
    }
  });
});

function segmentOf(vni: number, encryption: SegmentIntent['encryption']): SegmentIntent {
  return {
    name: `s${vni}`,
    vni,
    subnet: `10.${vni & 0xff}.0.0/24`,
    mtu: 1380,
    encryption,
    communities: { a: 16, b: 17 },
    ports: places.flatMap(({ name }, place) =>
      roles.map((role, at): PortIntent => {
        const index = place * roles.length + at + 1;
        return {
          node: name,
          index,
          incarnation: 1,
          owner: `w${index}`,
          addresses: [`10.${vni & 0xff}.0.${index}`],
          role,
          attach: { kind: 'namespace', path: `/run/netns/w${index}` },
        };
      }),
    ),
  };
}

/** Every port of n1 has the next role. */
function rotate(segment: SegmentIntent): SegmentIntent {
  return {
    ...segment,
    ports: segment.ports.map((port) =>
      port.node === 'n1'
        ? { ...port, incarnation: 2, role: roles[port.index % roles.length] ?? port.role }
        : port,
    ),
  };
}

function of(given: ReadonlyMap<string, FabricIntent>, node: string): FabricIntent {
  const intent = given.get(node);
  if (intent === undefined) throw new Error(`no intent of ${node}`);
  return intent;
}
