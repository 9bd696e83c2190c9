import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  attachmentResource,
  type Node,
  nodeResource,
  segmentResource,
  type SegmentStatus,
} from '@tapline/resources';
import { eventually } from '@tapline/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { segmentsUnavailable } from './segments/support/segments-unavailable.ts';
import {
  type NodeMachine,
  type SegmentSystem,
  startSegmentSystem,
} from './support/segment-system.ts';

const unavailable = segmentsUnavailable(['ping', 'wireguard-go', 'unshare']);
const rotationSeconds = 3;

const segment = `
apiVersion: tapline.dev/v1alpha1
kind: Segment
metadata: { name: news }
spec:
  prefix: 10.64.0.0/24
  encryption: { underlay: none, link: macsec }
  ports:
    - { select: role=origin, type: promiscuous }
`;

/** The link is the nodes' own; on a kernel without MACsec a program of ours is the device. */
describe.skipIf(unavailable !== undefined)(`MACsec, whole ${unavailable ?? ''}`, () => {
  let system: SegmentSystem;
  let first: NodeMachine;
  let second: NodeMachine;

  beforeAll(async () => {
    system = await startSegmentSystem(
      { n1: 'role=origin', n2: 'role=origin' },
      { env: { TAPLINE_KEY_ROTATION_SECONDS: String(rotationSeconds) } },
    );
    [first, second] = system.nodes as [NodeMachine, NodeMachine];
    const ends = `link add eth1 netns ${first.namespace} type veth peer name eth1 netns ${second.namespace}`;
    execFileSync('ip', ends.split(' '));
  }, 120_000);
  afterAll(async () => {
    await system?.[Symbol.asyncDispose]();
  }, 60_000);

  async function stands(): Promise<SegmentStatus> {
    return await eventually(
      'news is ready on both nodes',
      async () => {
        const { status } = await system.client.get(segmentResource, 'news');
        const { desired, offline } = status?.nodes ?? {};
        return status?.state === 'Ready' && desired === 2 && offline === 0 ? status : undefined;
      },
      { withinMs: 60_000 },
    );
  }

  async function addressOf(node: string): Promise<string> {
    const { spec } = await system.client.get(attachmentResource, `${node}.news`);
    return spec.ports.find((port) => port.node === node)?.addresses[0] ?? '';
  }

  async function nodeOf(name: string): Promise<Node> {
    return await system.client.get(nodeResource, name);
  }

  async function reachesSoon(): Promise<void> {
    const address = await addressOf('n2');
    await eventually(
      'n1 reaches n2',
      () => first.run(['ping', '-c', '1', '-W', '1', address]).code === 0,
      { withinMs: 60_000 },
    );
  }

  test('without a link that is named for it, no node has a part in the segment', async () => {
    await system.apply('news', segment);
    await eventually('it says why', async () => {
      const { status } = await system.client.get(segmentResource, 'news');
      return status?.conditions?.some(({ reason }) => reason === 'link_missing');
    });
    expect((await system.client.list(attachmentResource)).items).toEqual([]);
  }, 60_000);

  test('with it the segment stands, on nothing but MACsec', async () => {
    for (const [index, { name }] of system.nodes.entries()) {
      const link = { interface: 'eth1', address: `198.51.100.${index + 1}/24` };
      await system.client.patch(nodeResource, name, { kind: 'merge', body: { spec: { link } } });
    }
    expect(await stands()).toMatchObject({ mtu: 1500 - 32 - 50 });
    await reachesSoon();
    expect(first.run(['nft', 'list', 'ruleset', 'netdev']).out).toContain('policy drop');
    // The parent has no address of its own, and would let nothing of it through.
    expect(first.run(['ip', '-br', 'address', 'show', 'eth1']).out).not.toContain('198.51.100');
    // A node may have told its key a moment ago.
    await eventually('nothing is left to do', async () => {
      const plan = await system.tapline(['segment', 'plan', 'news']);
      return plan.out === '# node n1: 0 commands\n# node n2: 0 commands\n';
    });
    // Also what comes in the clear, by another interface, in the name of a node of the link.
    const verified = await system.tapline(['segment', 'verify', 'news']);
    expect([verified.code, verified.out]).toEqual([0, expect.stringMatching(/^verified/)]);
  }, 90_000);

  test('keys are replaced while packets go on, and none of them is lost', async () => {
    const before = (await nodeOf('n1')).status?.keyring?.step ?? 0;
    const address = await addressOf('n2');
    // Until two epochs have passed, however long that takes on a busy machine.
    let sent = 0;
    let received = 0;
    await eventually(
      'two epochs of keys have passed',
      async () => {
        const { out } = first.run(['ping', '-c', '20', '-i', '0.05', '-W', '10', address]);
        const [, all = '0', back = '0'] =
          /(\d+) packets transmitted, (\d+) received/.exec(out) ?? [];
        sent += Number(all);
        received += Number(back);
        return ((await nodeOf('n1')).status?.keys?.step ?? 0) >= before + 6;
      },
      { withinMs: 60_000 },
    );
    expect([sent, received]).toEqual([sent, sent]);
    const { status } = await system.client.get(attachmentResource, 'n1.news');
    expect(status?.keyAgeSeconds).toBeLessThan(300);
    for (const { name } of system.nodes) {
      const text = JSON.stringify((await nodeOf(name)).status?.keys?.wrapped);
      expect(text).toContain('sealed');
    }
  }, 120_000);

  test('a node that lost its keys sends with others, and none a second time', async () => {
    // Its agent takes the process with rights along, and that the device.
    await second.kill();
    await eventually(
      'its device is gone',
      () => second.run(['ip', 'link', 'show', 'tm0']).code !== 0,
    );
    const before = await givenOut(second);
    const address = await addressOf('n2');
    expect(first.run(['ping', '-c', '2', '-W', '1', address]).code).not.toBe(0);
    await second.start();
    await reachesSoon();
    // Of another generation, or of an epoch that began meanwhile.
    const after = await eventually('it was given keys again', async () => {
      const now = await givenOut(second);
      return [...now.keys()].some((key) => !before.has(key)) ? now : undefined;
    });
    for (const [key, at] of after) expect(before.get(key) ?? at, key).toBe(at);
  }, 120_000);
});

/** The keys that a node was given to send with, and when. */
async function givenOut({ data }: NodeMachine): Promise<ReadonlyMap<string, number>> {
  const text = await readFile(join(data, 'agreement.key.sent'), 'utf8');
  const notes = JSON.parse(text) as { generation: number; used: Record<string, number> };
  return new Map(Object.entries(notes.used).map(([id, at]) => [`${notes.generation} ${id}`, at]));
}
