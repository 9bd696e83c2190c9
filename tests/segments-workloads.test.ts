import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import {
  attachmentResource,
  installResource,
  nodeResource,
  segmentResource,
} from '@tapline/resources';
import { eventually } from '@tapline/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { segmentsUnavailable } from './segments/support/segments-unavailable.ts';
import { systemUnavailable } from './support/requirements.ts';
import { type SegmentSystem, startSegmentSystem } from './support/segment-system.ts';

const unavailable =
  segmentsUnavailable(['wireguard-go', 'unshare', 'runc']) ?? (await systemUnavailable());

const segment = `
apiVersion: tapline.dev/v1alpha1
kind: Segment
metadata: { name: news }
spec:
  prefix: 10.64.0.0/24
  encryption: { underlay: none, link: none }
  quarantineSeconds: 0
  ports:
    - { select: app=origin, type: promiscuous }
    - { select: app=probe, type: isolated }
`;

/** Programs that wait: whoever asks them to connect does it from where they are. */
function delivery(name: string, to: string, app: string, formula = 'bash'): string {
  return `
apiVersion: tapline.dev/v1alpha1
kind: Delivery
metadata: { name: ${name} }
spec:
  package: { formula: ${formula} }
  selector: { matchLabels: { place: ${to} } }
  segment: { name: news, labels: { app: ${app} } }
  run: { command: [bash, -c, 'while :; do read -t 60 <> <(:); done'] }
  health: { command: [bash, -c, 'exit 0'] }
`;
}

describe.skipIf(unavailable !== undefined)(`programs in segments ${unavailable ?? ''}`, () => {
  let system: SegmentSystem;

  beforeAll(async () => {
    system = await startSegmentSystem(
      { n1: 'place=a', n2: 'place=b', n3: 'place=b' },
      {
        formulae: ['bash'],
        runtime: 'runc',
        // As on a kernel that has no VXLAN: both kinds of node share the segment.
        flags: { n3: ['--datapath', 'user-space'] },
      },
    );
  }, 120_000);
  afterAll(async () => {
    await system?.[Symbol.asyncDispose]();
  }, 60_000);

  async function ready(node: string): Promise<void> {
    const name = `${node}.bash`;
    const status = async () =>
      (await system.client.get(installResource, name).catch(() => undefined))?.status;
    try {
      await eventually(`${name} is ready`, async () => (await status())?.state === 'Ready', {
        withinMs: 60_000,
      });
    } catch (cause) {
      const { out } = await system.tapline(['explain', 'segment', 'news']);
      throw new Error(`${name}: ${JSON.stringify(await status())}\n${out}`, { cause });
    }
  }

  async function addressOf(node: string): Promise<string> {
    const { spec } = await system.client.get(attachmentResource, `${node}.news`);
    return spec.ports.find(({ owner }) => owner === `${node}.bash`)?.addresses[0] ?? '';
  }

  /** What the program on a node says when it connects to the one on another; it listens nowhere. */
  async function connects(from: string, to: string): Promise<string> {
    const script = `exec 3<>/dev/tcp/${await addressOf(to)}/7`;
    const words = ['exec', `${from}.bash`, '--', 'bash', '-c', script];
    const { out, err } = await system.tapline(words);
    return `${out}${err}`;
  }

  test('a delivery into a segment that is not there, or only leases, is refused', async () => {
    const refused = system.apply('early', delivery('early', 'a', 'origin'));
    await expect(refused).rejects.toThrow(/segment news does not exist/);
    await system.apply(
      'parent',
      'apiVersion: tapline.dev/v1alpha1\nkind: Segment\nmetadata: { name: eu }\nspec: { prefix: 10.96.0.0/16, vnis: { size: 16 } }\n',
    );
    const parent = delivery('early', 'a', 'origin').replace('name: news', 'name: eu');
    await expect(system.apply('parent', parent)).rejects.toThrow(/leases to its children/);
  }, 60_000);

  test('programs reach whom the policy lets them, from inside, and nobody else', async () => {
    await system.apply('news', segment);
    const words =
      'deploy bash --name origin --to place=a --segment news --segment-label app=origin';
    const waits = ['bash', '-c', 'while :; do read -t 60 <> <(:); done'];
    const deployed = await system.tapline([
      ...words.split(' '),
      '--health',
      'bash -c "exit 0"',
      '--',
      ...waits,
    ]);
    expect(deployed).toMatchObject({ code: 0 });
    await system.apply('probes', delivery('probes', 'b', 'probe'));
    for (const node of ['n1', 'n2', 'n3']) await ready(node);
    // The kernel there answers that nobody listens: the packet came, and its answer did, too.
    const refused = expect.stringContaining('Connection refused');
    const unanswered = expect.stringMatching(/No route to host|timed out/);
    const ways = [
      ['n1', 'n2', refused],
      ['n2', 'n1', refused],
      ['n3', 'n1', refused],
      ['n2', 'n3', unanswered],
      ['n3', 'n2', unanswered],
    ] as const;
    const said = await Promise.all(
      ways.map(async ([from, to]) => [from, to, await connects(from, to)] as const),
    );
    expect(said).toEqual(ways);
    // They have nothing but the segment: not the network of their node.
    const underlay = ['exec', 'n2.bash', '--', 'bash', '-c', 'exec 3<>/dev/tcp/172.30.1.2/7443'];
    expect((await system.tapline(underlay)).err).toMatch(/unreachable/);
    // The one that switches for itself tells what it decides by, and is proven with the others.
    const verified = await system.tapline(['segment', 'verify', 'news']);
    expect([verified.err, verified.out]).toEqual(['', expect.stringMatching(/^verified: /)]);
    expect(verified.code).toBe(0);
    const { items } = await system.client.list(nodeResource);
    const datapaths = items.map(({ metadata, status }) => [metadata.name, status?.datapath]);
    expect(Object.fromEntries(datapaths)).toEqual({
      n1: 'kernel',
      n2: 'kernel',
      n3: 'user-space',
    });
    const { status } = await system.client.get(segmentResource, 'news');
    expect(status?.ports).toEqual({ total: 3, promiscuous: 1, community: 0, isolated: 2 });
  }, 120_000);

  test('what no rule selects has no port, and its program does not start', async () => {
    const mine = system.nodes.slice(1).map(({ name, data }) => {
      const digest = createHash('sha256').update(`${data}\0${name}.bash`).digest('hex');
      return `tapline-${digest.slice(0, 16)}`;
    });
    expect(namespaces()).toEqual(expect.arrayContaining(mine));
    expect((await system.tapline(['delete', 'delivery', 'probes'])).code).toBe(0);
    await eventually('its port is gone, and its namespace with it', async () => {
      const { status } = await system.client.get(segmentResource, 'news');
      return status?.ports?.total === 1 && !namespaces().some((name) => mine.includes(name));
    });
    await system.apply('other', delivery('other', 'b', 'nothing'));
    await eventually('it says why', async () => {
      const found = await system.client.get(installResource, 'n2.bash').catch(() => undefined);
      return found?.status?.error?.code === 'segment_port_missing';
    });
  }, 90_000);
});

/** Namespaces of workloads, those of other tests beside this one among them. */
function namespaces(): readonly string[] {
  return readdirSync('/run/netns').filter((name) => name.startsWith('tapline-'));
}
