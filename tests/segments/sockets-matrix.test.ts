import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFile, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { systemClock } from '@tapline/base';
import { type Fabric, openSocketDatapath, openUserSpaceFabric } from '@tapline/fabric';
import {
  checkCertificate,
  type FabricIntent,
  portMac,
  type PortRole,
  verifyFabric,
} from '@tapline/segments';
import { eventually, temporaryFolder, type TemporaryFolder } from '@tapline/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FrameProbe } from './support/frame-probe.ts';
import { measureArp, measureMatrix, policyMatrix } from './support/measure-matrix.ts';
import { attachTo, startSocketProbe } from './support/socket-probe.ts';
import { type TestEnd, trafficClasses } from './support/traffic-classes.ts';

const vni = 0x70_00_02;
const roles: readonly PortRole[] = [
  { kind: 'promiscuous' },
  { kind: 'isolated' },
  { kind: 'community', community: 'a' },
  { kind: 'community', community: 'b' },
];
const names = ['n1', 'n2', 'n3', 'n4'];
const addressOf = (name: string): string => `127.0.77.${name.slice(1)}`;

/** Needs neither root nor namespaces: its nodes are addresses of the loopback network. */
describe.skipIf(process.platform !== 'linux')('four nodes whose ports are sockets', () => {
  let folder: TemporaryFolder;
  let fabrics: Fabric[];
  let intent: FabricIntent;
  let ends: readonly TestEnd[];
  let paths: readonly string[];
  let probe: FrameProbe;

  beforeAll(async () => {
    folder = await temporaryFolder();
    const vxlanPort = await freePort();
    const ports = names.flatMap((node, place) =>
      roles.map((role, at) => ({
        node,
        index: place * roles.length + at + 1,
        incarnation: 1,
        owner: at === 0 ? node : `w${place * roles.length + at + 1}`,
        addresses: [`10.7.0.${place * roles.length + at + 1}`],
        role,
        attach: { kind: 'host' } as const,
      })),
    );
    intent = {
      vxlanPort,
      nodes: names.map((name) => ({ name, vtep: addressOf(name), underlay: addressOf(name) })),
      segments: [
        {
          name: 'news',
          vni,
          subnet: '10.7.0.0/24',
          mtu: 1450,
          encryption: { underlay: 'none', link: 'none' },
          communities: { a: 16, b: 17 },
          ports,
        },
      ],
    };
    ends = ports.map((port) => ({
      intent: port,
      mac: portMac(vni, port.index),
      ipv4: port.addresses[0] ?? '',
    }));
    fabrics = await Promise.all(names.map(openNode));
    for (const fabric of fabrics) {
      const { state, conditions } = await fabric.apply(intent);
      if (state !== 'converged') throw new Error(JSON.stringify(conditions));
    }
    paths = ports.map(({ node, owner, index }) =>
      join(folder.path, node, `${vni}${owner === node ? '' : `.${index}`}.sock`),
    );
    probe = await startSocketProbe(paths);
  });

  afterAll(async () => {
    await probe?.[Symbol.asyncDispose]();
    for (const fabric of fabrics ?? []) await fabric[Symbol.asyncDispose]();
    await folder?.[Symbol.asyncDispose]();
  });

  async function openNode(node: string): Promise<Fabric> {
    const datapath = openSocketDatapath({
      node,
      folder: join(folder.path, node),
      deviceOf: () => undefined,
    });
    return await openUserSpaceFabric({ node, clock: systemClock, underlayMtu: 1500, datapath });
  }

  test.each(trafficClasses.map((traffic) => [traffic.name, traffic] as const))(
    '%s: cell by cell what the policy says',
    async (_, traffic) => {
      const expected = traffic.honest ? policyMatrix(ends) : [];
      expect(await measureMatrix(probe, ends, traffic, expected)).toEqual(expected);
    },
  );

  test('ARP: who may be reached is found, with its own MAC', async () => {
    expect(await measureArp(probe, ends)).toEqual(policyMatrix(ends));
  });

  test('a port is its owner’s alone, and a file beside it says who a machine there has to be', async () => {
    const [path = ''] = paths;
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const said: unknown = JSON.parse(await readFile(path.replace('.sock', '.json'), 'utf8'));
    expect(said).toEqual({
      socket: path,
      mac: ends[0]?.mac,
      addresses: ['10.7.0.1'],
      mtu: 1450,
    });
    const second = connect(path);
    await once(second, 'close');
  });

  test('a machine that sends no frames is let go, and the next one is taken', async () => {
    await probe[Symbol.asyncDispose]();
    const [path = ''] = paths;
    const broken = (await attachTo(path)).resume();
    broken.write(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
    await once(broken, 'close');
    probe = await startSocketProbe(paths);
    const udp = trafficClasses.find(({ name }) => name === 'UDP');
    if (udp === undefined) throw new Error('no class');
    const expected = policyMatrix(ends);
    expect(await measureMatrix(probe, ends, udp, expected)).toEqual(expected);
  });

  test('packets of a stranger, or with a group that is not the port’s, reach nobody', async () => {
    const [victim] = ends;
    const member = ends.find(
      ({ intent: one }) => one.node === 'n2' && one.role.kind === 'isolated',
    );
    const right = ends.find(
      ({ intent: one }) => one.node === 'n2' && one.role.kind === 'promiscuous',
    );
    if (victim === undefined || member === undefined || right === undefined)
      throw new Error('none');
    const before = await fabrics[0]?.metrics();
    const speak = async (from: string, group: string, mac: string, mark: string) => {
      const inner =
        `${victim.mac}${mac}`.replaceAll(':', '') + `88b5f00dfeed${mark}${'00'.repeat(46)}`;
      const packet = Buffer.from(`8800${group}70000200${inner}`, 'hex');
      const socket = createSocket('udp4').bind(0, from);
      await once(socket, 'listening');
      socket.send(packet, intent.vxlanPort, addressOf('n1'));
      await new Promise((resolve) => setTimeout(resolve, 20));
      socket.close();
    };
    await probe.settle(50);
    await speak('127.0.77.9', '0002', member.mac, '00070001');
    await speak(addressOf('n2'), '0001', member.mac, '00070001');
    await speak(addressOf('n3'), '0002', member.mac, '00070001');
    // And one that is right, so that the others are known to have had a way.
    await speak(addressOf('n2'), '0001', right.mac, '00990001');
    const seen = await probe.settle();
    const marks = seen.map(({ frame }) => frame.toString('hex', 18, 22));
    expect(marks.filter((mark) => mark === '00070001')).toEqual([]);
    expect(marks).toContain('00990001');
    const after = await fabrics[0]?.metrics();
    expect(after?.drops['drop_strangers']).toBe((before?.drops['drop_strangers'] ?? 0) + 1);
    expect(after?.drops['drop_foreign']).toBe((before?.drops['drop_foreign'] ?? 0) + 2);
  });

  test('what their switches have is proven closed', async () => {
    const states = await Promise.all(fabrics.map((fabric) => fabric.observe()));
    const seen = new Map(states.map((state, at) => [names[at] ?? '', state]));
    const { result, findings, certificate } = verifyFabric(intent, seen);
    expect([result, findings.map(({ message }) => message)]).toEqual(['verified', []]);
    if (certificate === undefined) throw new Error('no certificate');
    checkCertificate(certificate, intent, seen);
    expect(await Promise.all(fabrics.map((fabric) => fabric.plan(intent)))).toEqual(
      fabrics.map(() => []),
    );
  });

  test('an encrypted segment is refused where nothing encrypts, and its sockets are gone', async () => {
    const [segment] = intent.segments;
    if (segment === undefined) throw new Error('no segment');
    const encrypted = {
      ...intent,
      segments: [{ ...segment, encryption: { underlay: 'ipsec', link: 'none' } as const }],
    };
    expect(await fabrics[0]?.apply(encrypted)).toMatchObject({
      state: 'failed',
      conditions: [{ ready: false, reason: 'module_missing', vni }],
    });
    await expect(stat(paths[0] ?? '')).rejects.toThrow('ENOENT');
    // A node that is started anew finds what the old one left, and takes it over.
    await fabrics[0]?.[Symbol.asyncDispose]();
    fabrics[0] = await openNode('n1');
    expect((await fabrics[0].apply(intent)).state).toBe('converged');
    await eventually('its port again', async () => (await stat(paths[0] ?? '')).isSocket());
  });
});

async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}
