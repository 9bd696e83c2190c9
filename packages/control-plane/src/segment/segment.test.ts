import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ResourceClient } from '@tapline/client';
import { formatPlan } from '@tapline/reconcile';
import {
  allocationResource,
  type Attachment,
  attachmentResource,
  deviceResource,
  findCondition,
  installResource,
  nodeResource,
  type NodeStatus,
  type Segment,
  segmentResource,
  type SegmentSpec,
} from '@tapline/resources';
import { eventually } from '@tapline/testing';
import { createMetrics } from '../metrics.ts';
import type { Reconcilers } from '../start-reconcilers.ts';
import { type MemoryApi, startMemoryApi } from '../testing/memory-api.ts';
import { createTestMetrics, startTestReconcilers } from '../testing/test-reconcilers.ts';

/** Nodes whose agents say that whatever they are told stands. */
class Nodes implements AsyncDisposable {
  readonly #client: ResourceClient;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  readonly silent = new Set<string>();

  constructor(client: ResourceClient) {
    this.#client = client;
    this.#running = this.#run();
  }

  async #run(): Promise<void> {
    for await (const event of this.#client.watch(attachmentResource, {
      signal: this.#stop.signal,
    })) {
      if (event.kind === 'added' || event.kind === 'modified') void this.answer(event.object);
    }
  }

  async answer({ metadata, spec, status }: Attachment): Promise<void> {
    if (this.silent.has(spec.node) || status?.observedEpoch === spec.epoch) return;
    const body = {
      status: {
        observedEpoch: spec.epoch,
        state: 'Ready',
        mtu: spec.mtu,
        stages: { applied: 0.001, verified: 0.0005 },
      },
    };
    await this.#client
      .patch(attachmentResource, metadata.name, { kind: 'merge', body }, { subresource: 'status' })
      .catch(() => undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }
}

const capabilities = ['bridge', 'vxlan-gbp', 'nftables', 'cls-bpf', 'wireguard-kernel'];

describe('segments', () => {
  let memory: MemoryApi;
  let client: ResourceClient;
  let agents: Nodes;
  let running: Reconcilers;
  let metrics: ReturnType<typeof createMetrics>;

  function start(): Reconcilers {
    metrics = createTestMetrics();
    return startTestReconcilers(client, { metrics });
  }

  beforeEach(async () => {
    memory = await startMemoryApi();
    ({ client } = memory);
    agents = new Nodes(client);
    running = start();
    await running.started;
  });

  afterEach(async () => {
    await running[Symbol.asyncDispose]();
    await agents[Symbol.asyncDispose]();
    await memory[Symbol.asyncDispose]();
  });

  async function addNode(
    name: string,
    labels: Readonly<Record<string, string>>,
    status: Partial<NodeStatus> = {},
  ): Promise<void> {
    await client.create(deviceResource, {
      metadata: { name, labels },
      spec: { platform: 'linux/arm64', role: 'node' },
    });
    const presence = { connected: true, epoch: 1, since: '2026-01-01T00:00:00Z' };
    await client.patch(
      deviceResource,
      name,
      { kind: 'merge', body: { status: { presence } } },
      { subresource: 'status' },
    );
    await eventually(`node ${name} is there`, () =>
      client.get(nodeResource, name).catch(() => undefined),
    );
    const last = name.replace(/\D/g, '');
    const found = {
      underlay: { address: `192.0.2.${last}`, interface: 'eth0', mtu: 1500 },
      wireguardKey: `${'A'.repeat(42 - last.length)}${last}=`,
      capabilities,
      ...status,
    };
    await client.patch(
      nodeResource,
      name,
      { kind: 'merge', body: { status: found } },
      { subresource: 'status' },
    );
  }

  async function createSegment(name: string, spec: Partial<SegmentSpec>): Promise<void> {
    await client.create(segmentResource, {
      metadata: { name },
      spec: { quarantineSeconds: 3600, ...spec },
    });
  }

  async function site(): Promise<void> {
    await createSegment('eu-west', { prefix: '10.64.0.0/12', vnis: { size: 16 } });
  }

  async function reached(
    name: string,
    state: string,
    also: (segment: Segment) => boolean = () => true,
  ): Promise<Segment> {
    return await eventually(`${name} is ${state}`, async () => {
      const segment = await client.get(segmentResource, name);
      const current = segment.status?.observedGeneration === segment.metadata.generation;
      return current && segment.status?.state === state && also(segment) ? segment : undefined;
    });
  }

  const news: Partial<SegmentSpec> = {
    parent: 'eu-west',
    prefixLength: 24,
    encryption: { underlay: 'wireguard', link: 'none' },
    ports: [
      { select: 'role=origin', type: 'promiscuous' },
      { select: 'team=a', type: 'community', community: 'a' },
      { select: 'role=telemetry', type: 'isolated' },
    ],
  };

  it('stands on every selected node, with what each has to know', async () => {
    await addNode('n1', { role: 'origin' });
    await addNode('n2', { team: 'a' });
    await addNode('n3', { team: 'a', role: 'telemetry' });
    await addNode('n4', { team: 'b' });
    await site();
    await createSegment('news', news);
    const segment = await reached('news', 'Ready', ({ status }) => status?.nodes?.desired === 3);
    expect(segment.status).toMatchObject({
      fabric: 'default',
      vni: 4096,
      subnet: '10.64.0.0/24',
      gateway: '10.64.0.1',
      mtu: 1370,
      nodes: { desired: 3, ready: 3, offline: 0 },
      ports: { total: 3, promiscuous: 1, community: 2, isolated: 0 },
    });
  });

  it('gives each node what it has to know, and fences it by an epoch', async () => {
    await addNode('n1', { role: 'origin' });
    await addNode('n2', { team: 'a' });
    await site();
    await createSegment('news', news);
    const before = await reached('news', 'Ready', ({ status }) => status?.nodes?.desired === 2);
    expect(before.status?.stages).toMatchObject({ applied: 0.001, verified: 0.0005 });
    const first = await client.get(attachmentResource, 'n2.news');
    expect(first.spec).toMatchObject({
      node: 'n2',
      segment: 'news',
      vni: 4096,
      subnet: '10.64.0.0/24',
      mtu: 1370,
      self: { name: 'n2', vtep: '100.112.0.2', underlay: '192.0.2.2' },
      peers: [{ name: 'n1', vtep: '100.112.0.1', underlay: '192.0.2.1' }],
      communities: { a: 16 },
      ports: [
        {
          node: 'n1',
          index: 1,
          owner: 'n1',
          role: { kind: 'promiscuous' },
          addresses: ['10.64.0.2'],
        },
        { node: 'n2', index: 2, owner: 'n2', role: { kind: 'community', community: 'a' } },
      ],
    });
    // Another role is another incarnation, on both nodes, at a newer epoch.
    await client.patch(deviceResource, 'n2', {
      kind: 'merge',
      body: { metadata: { labels: { team: null, role: 'telemetry' } } },
    });
    const later = await reached(
      'news',
      'Ready',
      ({ status }) => (status?.epoch ?? 0) > (before.status?.epoch ?? 0),
    );
    expect(later.status?.ports).toMatchObject({ community: 0, isolated: 1 });
    const second = await client.get(attachmentResource, 'n2.news');
    expect(second.spec.epoch).toBeGreaterThan(first.spec.epoch);
    expect(second.spec.ports[1]).toMatchObject({ incarnation: 2, role: { kind: 'isolated' } });
    const text = await metrics.text('text');
    expect(text).toContain('tapline_stage_duration_seconds_count{stage="verified"} ');
  });

  it('IPsec waits for the nodes’ own keys, and gives each node the others’, and nothing more', async () => {
    const ipsec = { capabilities: [...capabilities, 'ipsec'] };
    await addNode('n1', { role: 'origin' }, ipsec);
    await addNode('n2', { team: 'a' }, ipsec);
    await site();
    await createSegment('news', { ...news, encryption: { underlay: 'ipsec', link: 'none' } });
    const waiting = await reached('news', 'Applying');
    expect(findCondition(waiting.status?.conditions, 'NodesFit')).toMatchObject({
      status: 'Unknown',
      message: expect.stringContaining('has not made the key that others are agreed on with'),
    });
    const key = (name: string): string => name.padEnd(43, 'k');
    const told = async (name: string, keys: Partial<NonNullable<NodeStatus['keys']>>) =>
      await client.patch(
        nodeResource,
        name,
        {
          kind: 'merge',
          body: { status: { keys: { agreementKey: key(name), generation: 1, ...keys } } },
        },
        { subresource: 'status' },
      );
    await told('n1', {});
    await told('n2', {});
    await reached('news', 'Ready', ({ status }) => status?.nodes?.desired === 2);
    const ringOf = async (name: string) => (await client.get(nodeResource, name)).status?.keyring;
    const ring = await eventually('n1 has its key ring', async () => {
      const found = await ringOf('n1');
      return found?.peers.length === 1 ? found : undefined;
    });
    expect(ring).toEqual({
      step: 0,
      peers: [{ name: 'n2', agreementKey: key('n2'), generation: 1 }],
    });
    // Another generation is news for the others, and none for the segment.
    const { spec } = await client.get(attachmentResource, 'n1.news');
    await told('n2', { generation: 2, step: 0 });
    await eventually(
      'n1 hears of it',
      async () => (await ringOf('n1'))?.peers[0]?.generation === 2,
    );
    expect((await client.get(attachmentResource, 'n1.news')).spec.epoch).toBe(spec.epoch);
  });

  it('a node without IPsec has no part in such a segment, in the clear least of all', async () => {
    await addNode('n1', { role: 'origin' });
    await site();
    await createSegment('news', { ...news, encryption: { underlay: 'ipsec', link: 'none' } });
    const segment = await reached('news', 'Degraded');
    expect(findCondition(segment.status?.conditions, 'NodesFit')).toMatchObject({
      status: 'False',
      reason: 'module_missing',
      message: expect.stringContaining('no IPsec'),
    });
    expect((await client.list(attachmentResource)).items).toEqual([]);
  });

  it('MACsec takes a link of its own, and its MTU', async () => {
    const macsec = { capabilities: [...capabilities, 'macsec'] };
    const keys = { agreementKey: 'k'.repeat(43), generation: 1 };
    await addNode('n1', { role: 'origin' }, { ...macsec, keys });
    await site();
    await createSegment('news', { ...news, encryption: { underlay: 'none', link: 'macsec' } });
    const before = await reached('news', 'Degraded');
    expect(findCondition(before.status?.conditions, 'NodesFit')?.reason).toBe('link_missing');
    const body = { spec: { link: { interface: 'eth1', address: '10.9.0.1/24' } } };
    await client.patch(nodeResource, 'n1', { kind: 'merge', body });
    const link = { interface: 'eth1', mac: '06:00:00:00:00:01', mtu: 9000 };
    await client.patch(
      nodeResource,
      'n1',
      { kind: 'merge', body: { status: { link } } },
      { subresource: 'status' },
    );
    const after = await reached('news', 'Ready');
    expect(after.status?.mtu).toBe(9000 - 32 - 50);
    expect((await client.get(attachmentResource, 'n1.news')).spec.self).toMatchObject({
      link: { interface: 'eth1', address: '10.9.0.1', prefixLength: 24, mac: link.mac },
    });
  });

  it('a program has a port by its own labels, for as long as its Install is there', async () => {
    await addNode('n1', { role: 'origin' });
    await site();
    await createSegment('news', {
      ...news,
      ports: [...(news.ports ?? []), { select: 'app=probe', type: 'isolated' }],
    });
    await reached('news', 'Ready');
    await client.create(installResource, {
      metadata: { name: 'n1.probe' },
      spec: {
        device: 'n1',
        delivery: 'probe',
        formula: 'probe',
        version: '1.0',
        revision: 1,
        image: {
          repository: 'probe',
          digest: `sha256:${'0'.repeat(64)}`,
          platform: 'linux/arm64',
          sizeBytes: 1,
          unpackedBytes: 1,
        },
        segment: { name: 'news', labels: { app: 'probe', role: 'none' } },
      },
    });
    await reached('news', 'Ready', ({ status }) => status?.ports?.total === 2);
    const { spec } = await client.get(attachmentResource, 'n1.news');
    expect(spec.ports).toMatchObject([
      { owner: 'n1', attach: { kind: 'host' }, role: { kind: 'promiscuous' } },
      { owner: 'n1.probe', node: 'n1', attach: { kind: 'namespace' }, role: { kind: 'isolated' } },
    ]);
    await client.delete(installResource, 'n1.probe');
    await reached('news', 'Ready', ({ status }) => status?.ports?.total === 1);
  });

  it('a node that goes takes its port along; the others hear of it', async () => {
    await addNode('n1', { role: 'origin' });
    await addNode('n2', { team: 'a' });
    await site();
    await createSegment('news', news);
    await reached('news', 'Ready', ({ status }) => status?.nodes?.desired === 2);
    await client.delete(deviceResource, 'n2');
    await reached('news', 'Ready', ({ status }) => status?.nodes?.desired === 1);
    await eventually('its objects are gone', async () => {
      const nodes = await client.list(nodeResource);
      const attachments = await client.list(attachmentResource);
      return nodes.items.length === 1 && attachments.items.length === 1;
    });
    expect((await client.get(attachmentResource, 'n1.news')).spec).toMatchObject({ peers: [] });
    await eventually('its VTEP is free', async () => {
      const { spec } = await client.get(allocationResource, 'fabric.default');
      return spec.vteps?.length === 1;
    });
  });

  it('ends attachments first, then keeps its numbers from others', async () => {
    await addNode('n1', { role: 'origin' });
    await site();
    await createSegment('news', news);
    await reached('news', 'Ready', ({ status }) => status?.nodes?.desired === 1);
    await client.delete(segmentResource, 'eu-west');
    await reached('eu-west', 'Deleting');
    expect(formatPlan(running.explainSegment('eu-west') ?? { steps: [], waiting: [] })).toBe(
      'wait  segments news: they have their numbers from it; delete them first\n',
    );
    await client.delete(segmentResource, 'news');
    await eventually('both are gone', async () => {
      const { items } = await client.list(segmentResource);
      return items.length === 0;
    });
    expect((await client.list(attachmentResource)).items).toEqual([]);
    const { items } = await client.list(allocationResource);
    expect(items.map(({ metadata }) => metadata.name)).toEqual(['fabric.default']);
    expect(items[0]?.spec.leases).toMatchObject([{ owner: 'eu-west', first: 4096, size: 16 }]);
    const until = Date.parse(items[0]?.spec.leases?.[0]?.until ?? '');
    expect(until).toBeGreaterThan(Date.now() + 3_500_000);
    await createSegment('other', { prefix: '10.128.0.0/12', vnis: { size: 16 } });
    expect((await reached('other', 'Leasing')).status?.vni).toBe(4112);
  });

  it('goes on after a restart, with the numbers that it had', async () => {
    await addNode('n1', { role: 'origin' });
    await site();
    await createSegment('news', news);
    const before = await reached('news', 'Ready', ({ status }) => status?.nodes?.desired === 1);
    await running[Symbol.asyncDispose]();
    await client.delete(segmentResource, 'news');
    await createSegment('sport', news);
    running = start();
    await running.started;
    const sport = await reached('sport', 'Ready', ({ status }) => status?.nodes?.desired === 1);
    expect(sport.status?.vni).not.toBe(before.status?.vni);
    expect(sport.status?.subnet).toBe('10.64.1.0/24');
  });

  it('whose lease is ended gets other numbers, and its ports other addresses', async () => {
    await addNode('n1', { role: 'origin' });
    await site();
    await createSegment('news', news);
    await reached('news', 'Ready', ({ status }) => status?.vni === 4096);
    const { metadata, spec } = await client.get(allocationResource, 'segment.eu-west');
    const until = new Date(Date.now() + 3_600_000).toISOString();
    const leases = (spec.leases ?? []).map((lease) => ({ ...lease, until }));
    await client.patch(allocationResource, metadata.name, {
      kind: 'merge',
      body: { spec: { leases } },
    });
    const after = await reached('news', 'Ready', ({ status }) => status?.vni === 4097);
    expect(after.status).toMatchObject({ subnet: '10.64.1.0/24', nodes: { desired: 1, ready: 1 } });
    const { spec: told } = await client.get(attachmentResource, 'n1.news');
    expect(told).toMatchObject({
      vni: 4097,
      subnet: '10.64.1.0/24',
      ports: [{ index: 1, addresses: ['10.64.1.2'] }],
    });
  });

  it('an offline node keeps the others waiting for nothing', async () => {
    agents.silent.add('n2');
    await addNode('n1', { role: 'origin' });
    await addNode('n2', { team: 'a' });
    await site();
    await createSegment('news', news);
    await reached('news', 'Applying', ({ status }) => status?.nodes?.ready === 1);
    const presence = { connected: false, epoch: 1, since: '2026-01-01T00:00:00Z' };
    await client.patch(
      deviceResource,
      'n2',
      { kind: 'merge', body: { status: { presence } } },
      { subresource: 'status' },
    );
    await reached('news', 'Degraded', ({ status }) => status?.nodes?.offline === 1);
    const explained = running.explainSegment('news') ?? { steps: [], waiting: [] };
    expect(formatPlan(explained)).toBe(
      'wait  node n2: it is offline (since 2026-01-01T00:00:00Z)\n',
    );
    agents.silent.clear();
    await agents.answer(await client.get(attachmentResource, 'n2.news'));
    await reached('news', 'Ready');
  });

  it('a node that cannot encrypt has no part in it, and says why', async () => {
    await addNode('n1', { role: 'origin' });
    await addNode(
      'n2',
      { team: 'a' },
      { capabilities: ['bridge', 'vxlan-gbp', 'nftables', 'cls-bpf'] },
    );
    await site();
    await createSegment('news', news);
    const segment = await reached('news', 'Degraded');
    expect(findCondition(segment.status?.conditions, 'NodesFit')).toMatchObject({
      status: 'False',
      reason: 'module_missing',
      message: 'node n2 has no WireGuard; it has no part in the segment',
    });
    const { items } = await client.list(attachmentResource);
    expect(items.map(({ metadata }) => metadata.name)).toEqual(['n1.news']);
    expect(items[0]?.spec).toMatchObject({ peers: [], ports: [{ node: 'n1' }] });
  });

  it('rules that select nothing are said, and are no error', async () => {
    await addNode('n1', { role: 'origin' });
    await site();
    await createSegment('news', news);
    const segment = await reached('news', 'Ready', ({ status }) => status?.nodes?.desired === 1);
    expect(segment.status?.error).toBeUndefined();
    expect(findCondition(segment.status?.conditions, 'PortsSelected')).toMatchObject({
      status: 'False',
      reason: 'NothingSelected',
      message: 'no node is selected by "team=a", "role=telemetry"',
    });
  });

  it.each<[string, Partial<SegmentSpec>, string, string]>([
    [
      'an unknown parent',
      { ...news, parent: 'nowhere' },
      'parent_unknown',
      'parent nowhere of segment news does not exist',
    ],
    [
      'a parent that leases nothing',
      { ...news, parent: 'leaf' },
      'parent_leases_nothing',
      'parent leaf of segment news has no VNIs to lease',
    ],
    [
      'itself as its parent',
      { ...news, parent: 'news' },
      'parent_cycle',
      'segments are their own parents: news in news',
    ],
    ['no prefix at all', { ports: [] }, 'prefix_missing', 'segment news has no spec.prefix'],
    [
      'a prefix length out of range',
      { ...news, prefixLength: 8 },
      'prefix_length_invalid',
      'prefixLength 8 of segment news is not from 12 to 30, what 10.64.0.0/12 has',
    ],
    [
      'a prefix that overlaps',
      { prefix: '10.64.0.0/16' },
      'prefix_overlaps',
      'prefix 10.64.0.0/16 of segment news overlaps 10.64.0.0/12 of segment eu-west',
    ],
    [
      'a VNI of another overlay',
      { prefix: '10.128.0.0/24', vnis: { first: 4100 } },
      'vni_taken',
      'VNI 4100 is taken by vxlan7 on node n1',
    ],
    [
      'too small an underlay',
      { ...news, mtu: 1400 },
      'mtu_too_small',
      'segment news would have an MTU of 1370 on node n1, whose underlay has 1500; it needs 1400',
    ],
    [
      'ports and children',
      { prefix: '10.0.0.0/16', vnis: { size: 8 }, ports: [{ select: 'a=b', type: 'isolated' }] },
      'parent_has_ports',
      'segment news leases 8 VNIs and has 1 port rules; it can be one of both',
    ],
  ])('refuses %s', async (_what, spec, code, message) => {
    await addNode(
      'n1',
      { role: 'origin' },
      { foreign: { vnis: [{ vni: 4100, device: 'vxlan7', port: 4789 }], prefixes: [] } },
    );
    await site();
    await createSegment('leaf', { prefix: '172.16.0.0/24' });
    await createSegment('news', spec);
    const segment = await reached('news', 'Failed');
    expect(segment.status?.error).toMatchObject({ code, message });
    expect(findCondition(segment.status?.conditions, 'Ready')).toMatchObject({
      status: 'False',
      reason: code,
    });
    expect((await client.list(attachmentResource)).items).toEqual([]);
  });

  it('parents in a circle are refused, each of them', async () => {
    await createSegment('a', { parent: 'b', prefixLength: 16, vnis: { size: 4 } });
    await createSegment('b', { parent: 'a', prefixLength: 16, vnis: { size: 4 } });
    const { status } = await reached(
      'a',
      'Failed',
      (one) => one.status?.error?.code === 'parent_cycle',
    );
    expect(status?.error?.message).toBe('segments are their own parents: a in b in a');
  });

  it('many segments at once have numbers of their own', async () => {
    await addNode('n1', { role: 'origin' });
    await createSegment('eu-west', { prefix: '10.64.0.0/12', vnis: { size: 256 } });
    const names = Array.from({ length: 60 }, (_, at) => `s${at}`);
    await Promise.all(names.map((name) => createSegment(name, news)));
    const all = await Promise.all(
      names.map((name) => reached(name, 'Ready', ({ status }) => status?.nodes?.desired === 1)),
    );
    expect(new Set(all.map(({ status }) => status?.vni)).size).toBe(60);
    expect(new Set(all.map(({ status }) => status?.subnet)).size).toBe(60);
  });
});
