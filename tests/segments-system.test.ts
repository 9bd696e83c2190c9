import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  allocationResource,
  type Attachment,
  attachmentResource,
  deviceResource,
  segmentResource,
  type SegmentStatus,
} from '@tapline/resources';
import { portEndName, portMac, portName } from '@tapline/segments';
import { eventually } from '@tapline/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { echoRequest } from './segments/support/frames.ts';
import { segmentsUnavailable } from './segments/support/segments-unavailable.ts';
import { startSocketProbe } from './segments/support/socket-probe.ts';
import { type SegmentSystem, startSegmentSystem } from './support/segment-system.ts';

const unavailable = segmentsUnavailable(['ping', 'wireguard-go', 'unshare']);

const parent = `
apiVersion: tapline.dev/v1alpha1
kind: Segment
metadata: { name: eu-west }
spec:
  prefix: 10.64.0.0/12
  vnis: { size: 4096 }
`;
const news = `
apiVersion: tapline.dev/v1alpha1
kind: Segment
metadata: { name: news }
spec:
  parent: eu-west
  prefixLength: 24
  encryption: { underlay: wireguard, link: none }
  ports:
    - { select: role=origin, type: promiscuous }
    - { select: team=a, type: community, community: a }
    - { select: role=telemetry, type: isolated }
`;

describe.skipIf(unavailable !== undefined)(`segments, whole ${unavailable ?? ''}`, () => {
  let system: SegmentSystem;

  beforeAll(async () => {
    system = await startSegmentSystem({
      n1: 'role=origin',
      n2: 'role=telemetry',
      n3: 'role=telemetry',
    });
  }, 120_000);
  afterAll(async () => {
    await system?.[Symbol.asyncDispose]();
  }, 60_000);

  /** The segment once it is ready, on so many nodes, and connected to them. */
  async function stands(nodes: number): Promise<SegmentStatus> {
    return await eventually(
      `news is ready on ${nodes} nodes`,
      async () => {
        const { status } = await system.client.get(segmentResource, 'news');
        const { desired, offline } = status?.nodes ?? {};
        return status?.state === 'Ready' && desired === nodes && offline === 0 ? status : undefined;
      },
      { withinMs: 60_000 },
    );
  }

  async function addressOf(node: string): Promise<string> {
    const { spec } = await system.client.get(attachmentResource, `${node}.news`);
    return spec.ports.find((port) => port.node === node)?.addresses[0] ?? '';
  }

  /** Whether an answer comes. */
  async function reaches(from: string, to: string, seconds = '1'): Promise<boolean> {
    const machine = system.nodes.find(({ name }) => name === from);
    const address = await addressOf(to);
    return (await machine?.succeeds(['ping', '-c', '1', '-W', seconds, address])) === true;
  }

  /** Beside each other, as each waits for an answer that does not come. */
  async function noneReaches(...ways: readonly (readonly [string, string])[]): Promise<void> {
    const open = await Promise.all(ways.map(([from, to]) => reaches(from, to)));
    expect(ways.filter((_, index) => open[index])).toEqual([]);
  }

  /** The first packet may have a handshake to wait for. */
  async function reachesSoon(from: string, to: string): Promise<void> {
    await eventually(`${from} reaches ${to}`, () => reaches(from, to, '3'), { withinMs: 20_000 });
  }

  test('one apply, and the overlay stands, with the policy and nothing else', async () => {
    await system.apply('eu-west', parent);
    await system.apply('news', news);
    const status = await stands(3);
    expect(status).toMatchObject({
      vni: 4096,
      subnet: '10.64.0.0/24',
      gateway: '10.64.0.1',
      mtu: 1370,
      ports: { total: 3, promiscuous: 1, isolated: 2 },
    });
    // A second is the aim on a machine of its own; other tests run beside this one.
    expect(status.stages?.['total']).toBeLessThan(10);
    await reachesSoon('n1', 'n2');
    await reachesSoon('n3', 'n1');
    await noneReaches(['n2', 'n3'], ['n3', 'n2']);
  }, 90_000);

  test('what is there can be seen, planned and proven', async () => {
    const [list, verified, plan, preview] = await Promise.all([
      system.tapline(['get', 'segments']),
      system.tapline(['segment', 'verify', 'news']),
      system.tapline(['segment', 'plan', 'news']),
      system.tapline(
        ['segment', 'plan', '-f', '-', '--node', 'n1'],
        news.replace('name: news', 'name: sport'),
      ),
    ]);
    expect(list.out).toMatch(/news +4096 +10\.64\.0\.0\/24 +3 +3 +3 +1370 +Ready/);
    expect(verified.out).toMatch(/^verified: no port reaches one that it must not/);
    expect(verified.code).toBe(0);
    expect(plan.out).toBe('# node n1: 0 commands\n# node n2: 0 commands\n# node n3: 0 commands\n');
    expect(preview.out).toContain('vxlan id 4097');
    const missing = system.client.get(segmentResource, 'sport');
    await expect(missing).rejects.toMatchObject({ code: 'not_found' });
  }, 90_000);

  test('a way that somebody opened is printed packet by packet', async () => {
    const { spec } = await system.client.get(attachmentResource, 'n2.news');
    const portOf = (name: string) => spec.ports.find(({ node }) => node === name);
    const [sender, receiver] = [portOf('n2'), portOf('n3')];
    if (sender === undefined || receiver === undefined) throw new Error('a port is missing');
    const watching = ['segment', 'verify', 'news', '--watch', '--every', '500ms'];
    await using watch = await system.start(watching, /^verified: /m);
    const machines = system.nodes.filter(({ name }) => name !== 'n1');
    // Another's table, which a node leaves alone: what comes from other nodes is promiscuous.
    const opening = 'add rule bridge other forward iifname "tv*" meta mark set 1';
    const hook = '{ type filter hook forward priority -210; }';
    for (const machine of machines) {
      machine.run([
        'nft',
        `add table bridge other; add chain bridge other forward ${hook}; ${opening}`,
      ]);
    }
    // Ports do not resolve whom they may not reach.
    for (const [at, own, other] of [
      [machines[0], sender, receiver],
      [machines[1], receiver, sender],
    ] as const) {
      const address = other.addresses[0] ?? '';
      const neighbour = [address, 'lladdr', portMac(spec.vni, other.index)];
      at?.run(['ip', 'neigh', 'replace', ...neighbour, 'dev', portEndName(spec.vni, own)]);
    }
    expect(await reaches('n2', 'n3', '3')).toBe(true);
    const open = await system.tapline(['segment', 'verify', 'news']);
    expect(open.code).toBe(1);
    const port = portName(spec.vni, receiver).replaceAll('.', '\\.');
    expect(open.out).toMatch(
      new RegExp(
        [
          '^OPEN: .*',
          'leak port_reached: .*n2.* reaches .*n3.*',
          ' +1\\. n2 port .*',
          ' +2\\. n2 ingress .*mark 2: is let in .*',
          ' +3\\. n2 bridge .*',
          ' +4\\. n2 forward .*',
          ' +5\\. n2 vxlan .*GBP 2, to .*',
          ' +6\\. n3 underlay .*',
          ' +7\\. n3 arrival .*mark 2: .*',
          ' +8\\. n3 bridge .*',
          ` +9\\. n3 forward ${port}, mark 1: .*`,
          ` +10\\. n3 filter ${port}, mark 1: the filter lets it leave`,
          ` +11\\. n3 port ${port}: arrives at .*`,
        ].join('\\n(?:.*\\n)*?'),
      ),
    );
    await eventually('who watches is told', () => watch.output().includes('\nOPEN: '));
    for (const machine of machines) machine.run(['nft', 'delete', 'table', 'bridge', 'other']);
    await eventually('and told that it is closed again', () =>
      /^verified: [^]*^OPEN: [^]*^verified: /m.test(watch.output()),
    );
    expect(await reaches('n2', 'n3')).toBe(false);
    expect((await system.tapline(['segment', 'verify', 'news'])).code).toBe(0);
  }, 90_000);

  test('rules that somebody flushes are put back, and nothing passes meanwhile', async () => {
    const node = system.nodes.find(({ name }) => name === 'n2');
    node?.run(['nft', 'flush', 'table', 'bridge', 'tapline']);
    expect(await reaches('n2', 'n3')).toBe(false);
    await eventually(
      'they are back',
      () => node?.run(['nft', 'list', 'table', 'bridge', 'tapline']).out.includes('drop'),
      { withinMs: 30_000 },
    );
    await reachesSoon('n2', 'n1');
    expect(await reaches('n2', 'n3')).toBe(false);
  }, 90_000);

  test('another role is another port, everywhere', async () => {
    for (const name of ['n2', 'n3']) {
      const body = { metadata: { labels: { role: null, team: 'a' } } };
      await system.client.patch(deviceResource, name, { kind: 'merge', body });
    }
    await eventually(
      'both are of the community',
      async () => {
        const { status } = await system.client.get(segmentResource, 'news');
        return status?.ports?.community === 2 && status.state === 'Ready';
      },
      { withinMs: 30_000 },
    );
    await reachesSoon('n2', 'n3');
    expect(await reaches('n3', 'n2')).toBe(true);
  }, 90_000);

  test('stands without its control plane, and without an agent; both find it again', async () => {
    const [, second, third] = system.nodes;
    const address = await addressOf('n3');
    await system.stopControlPlane();
    await third?.kill();
    expect(second?.run(['ping', '-c', '1', '-W', '2', address]).code).toBe(0);
    await Promise.all([third?.start(), system.startControlPlane()]);
    await eventually(
      'all nodes are back',
      async () => {
        const { items } = await system.client.list(deviceResource);
        return items.every(({ status }) => status?.presence?.connected === true);
      },
      { withinMs: 60_000 },
    );
    await stands(3);
    await reachesSoon('n1', 'n3');
    const verified = await eventually(
      'it is proven',
      async () => {
        const answer = await system.tapline(['segment', 'verify']);
        return answer.code === 0 ? answer : undefined;
      },
      { withinMs: 60_000 },
    );
    expect(verified.out).toMatch(/^verified/);
  }, 150_000);

  test('a node that is offline while its segment changes lets nothing forbidden pass, and follows', async () => {
    const [, second, third] = system.nodes;
    await reachesSoon('n2', 'n3');
    const old = await addressOf('n2');
    await third?.kill();
    await eventually('it is offline', async () => {
      const { status } = await system.client.get(segmentResource, 'news');
      return status?.nodes?.offline === 1;
    });
    const body = { metadata: { labels: { role: 'telemetry', team: null } } };
    await system.client.patch(deviceResource, 'n2', { kind: 'merge', body });
    await eventually(
      'the others have the change, and it has not',
      async () => {
        const ready = ({ spec, status }: Attachment): boolean =>
          status?.observedEpoch === spec.epoch && status.state === 'Ready';
        const [n1, n2, n3] = await Promise.all(
          ['n1', 'n2', 'n3'].map((name) => system.client.get(attachmentResource, `${name}.news`)),
        );
        const role = n2?.spec.ports.find(({ node }) => node === 'n2')?.role.kind;
        return role === 'isolated' && n1 && ready(n1) && n2 && ready(n2) && n3 && !ready(n3);
      },
      { withinMs: 30_000 },
    );
    // What it knows of the other one is yesterday's, and so is what it would let pass.
    const ping = ['ping', '-c', '3', '-i', '0.2', '-W', '1'] as const;
    const others = new Set([old, await addressOf('n2')]);
    const there = await addressOf('n3');
    const arrived = await Promise.all([
      ...[...others].map((address) => third?.succeeds([...ping, address])),
      second?.succeeds([...ping, there]),
    ]);
    expect(arrived).not.toContain(true);
    await reachesSoon('n1', 'n2');
    await third?.start();
    await stands(3);
    await noneReaches(['n3', 'n2'], ['n2', 'n3']);
    await reachesSoon('n1', 'n3');
  }, 120_000);

  test('a node whose ports are sockets: a machine there speaks with whom the policy names', async () => {
    const third = system.nodes.find(({ name }) => name === 'n3');
    if (third === undefined) throw new Error('no node n3');
    await third.kill();
    await third.start(['--datapath', 'sockets']);
    const socket = join(third.data, 'ports', '4096.sock');
    await eventually('its socket is there', () => existsSync(socket), { withinMs: 30_000 });
    await stands(3);
    const { spec } = await system.client.get(attachmentResource, 'n3.news');
    const stationOf = (name: string) => {
      const port = spec.ports.find(({ node }) => node === name);
      return { mac: portMac(spec.vni, port?.index ?? 0), ip: port?.addresses[0] ?? '' };
    };
    const [own, first, second] = ['n3', 'n1', 'n2'].map(stationOf);
    if (own === undefined || first === undefined || second === undefined)
      throw new Error('no port');
    const said: unknown = JSON.parse(await readFile(socket.replace('.sock', '.json'), 'utf8'));
    expect(said).toEqual({ socket, mac: own.mac, addresses: [own.ip], mtu: 1370 });
    await using machine = await startSocketProbe([socket]);
    const answers: string[] = [];
    await eventually(
      'an answer of the promiscuous port',
      async () => {
        for (const other of [first, second]) machine.send(0, echoRequest(own, other));
        for (const { frame } of await machine.settle(100)) {
          // An echo reply, by who sent it.
          if (frame[23] === 1 && frame[34] === 0)
            answers.push([...frame.subarray(26, 30)].join('.'));
        }
        return answers.includes(first.ip);
      },
      { withinMs: 20_000 },
    );
    expect(answers).not.toContain(second.ip);
    const verified = await system.tapline(['segment', 'verify', 'news']);
    expect([verified.code, verified.out]).toEqual([0, expect.stringMatching(/^verified/)]);
  }, 120_000);

  test('a node that goes takes its port along, and deletion leaves nothing', async () => {
    await system.client.delete(deviceResource, 'n3');
    await stands(2);
    await system.client.delete(segmentResource, 'news');
    await eventually(
      'no device of a segment is left',
      () => {
        const left = system.nodes
          .slice(0, 2)
          .map((node) => node.run(['ip', '-o', 'link', 'show']).out)
          .join('');
        return !/\bt[bvp][0-9]/.test(left);
      },
      { withinMs: 30_000 },
    );
    const { spec } = await system.client.get(allocationResource, 'segment.eu-west');
    expect(spec.leases?.[0]?.until).toBeDefined();
  }, 90_000);
});
