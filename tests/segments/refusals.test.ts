import { silentLog, systemClock, systemRng } from '@tapline/base';
import { createFabric, type Fabric, keepHelper, startHelper } from '@tapline/fabric';
import type { FabricIntent, PortIntent, SegmentIntent } from '@tapline/segments';
import { eventually } from '@tapline/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { buildNetwork, type TestNetwork } from './support/build-network.ts';
import { segmentsUnavailable } from './support/segments-unavailable.ts';
import { testIntent, testSegment, vni, workloadNames } from './support/start-fabrics.ts';

const nodes = ['n1', 'n2'];
const unavailable = segmentsUnavailable();
const otherVni = vni + 1;

describe.skipIf(unavailable !== undefined)(`one node's fabric ${unavailable ?? ''}`, () => {
  let network: TestNetwork;
  let helper: ReturnType<typeof keepHelper>;
  let fabric: Fabric;
  let news: SegmentIntent;

  beforeEach(() => {
    network = buildNetwork(nodes, workloadNames(nodes.length));
    const namespace = network.nodes[0]?.namespace ?? '';
    helper = keepHelper({
      start: () => startHelper({ prefix: ['nsenter', `--net=/run/netns/${namespace}`] }),
      clock: systemClock,
      rng: systemRng,
      log: silentLog,
    });
    const common = { clock: systemClock, log: silentLog, resyncMs: 600_000 };
    fabric = createFabric({ node: 'n1', helper, ...common });
    news = testSegment(network);
  });

  afterEach(async () => {
    await fabric?.[Symbol.asyncDispose]();
    network?.[Symbol.dispose]();
  });

  function n1(command: readonly [string, ...string[]]): string {
    return network.run(network.nodes[0]?.namespace ?? '', command);
  }

  function linkNames(): readonly string[] {
    const links = JSON.parse(n1(['ip', '-j', 'link'])) as readonly { readonly ifname: string }[];
    return links.map(({ ifname }) => ifname);
  }

  /** A segment whose ports are to go to a namespace that is not there. */
  function impossible(): SegmentIntent {
    const change = (port: PortIntent): PortIntent => ({
      ...port,
      addresses: port.addresses.map((text) => text.replace('10.7.', '10.8.').replace(':7:', ':8:')),
      attach: { kind: 'namespace', path: '/run/netns/tlseg-there-is-none' },
    });
    return testSegment(network, { name: 'lost', vni: otherVni, subnet: '10.8.0.0/24', change });
  }

  async function isAsPlanned(intent: FabricIntent): Promise<void> {
    expect(await fabric.plan(intent)).toEqual([]);
  }

  test("a VNI of somebody else's device is refused by its name, and comes when it is free", async () => {
    n1(['ip', 'link', 'add', 'vx9', 'type', 'vxlan', 'id', String(vni), 'dstport', '4789']);
    const intent = testIntent(network, [news]);
    const { state, conditions } = await fabric.apply(intent);
    expect(state).toBe('degraded');
    expect(conditions).toEqual([
      expect.objectContaining({ segment: 'news', ready: false, reason: 'vni_taken' }),
    ]);
    expect(conditions[0]?.message).toContain(
      `VNI ${vni} of segment news is taken on node n1 by vx9`,
    );
    expect(linkNames().filter((name) => /^t[bvp]/.test(name))).toEqual([]);
    n1(['ip', 'link', 'del', 'vx9']);
    expect((await fabric.apply(intent)).state).toBe('converged');
    await isAsPlanned(intent);
  });

  test('what the kernel refuses is one segment, and nothing of it is left', async () => {
    const intent = testIntent(network, [news, impossible()]);
    const { state, conditions } = await fabric.apply(intent);
    expect(state).toBe('degraded');
    expect(conditions).toEqual([
      expect.objectContaining({ segment: 'news', ready: true }),
      expect.objectContaining({ segment: 'lost', ready: false, reason: 'segment_failed' }),
    ]);
    expect(conditions[1]?.message).toContain('tlseg-there-is-none');
    expect(linkNames()).toContain(`tv${vni}`);
    expect(linkNames()).not.toContain(`tv${otherVni}`);
    await isAsPlanned(testIntent(network, [news]));
  });

  test('a refusal leaves the devices of what stood as they are', async () => {
    const before = testIntent(network, [news]);
    await fabric.apply(before);
    const device = (): unknown => JSON.parse(n1(['ip', '-j', 'link', 'show', `tv${vni}`]));
    const index = device();
    const { conditions } = await fabric.apply({ ...before, segments: [news, impossible()] });
    expect(conditions.map(({ reason }) => reason)).toEqual(['Applied', 'segment_failed']);
    // The same device with the same index: it was neither removed nor made anew.
    expect(device()).toEqual(index);
    await isAsPlanned(before);
  });

  test('the killed helper is started again, and what was broken meanwhile is mended', async () => {
    const intent = testIntent(network, [news]);
    await fabric.apply(intent);
    const { pid } = helper;
    process.kill(pid, 'SIGKILL');
    n1(['nft', 'flush', 'ruleset']);
    // Nobody applies anything: the new process itself is the reason to look.
    await eventually('it is mended', async () => (await fabric.metrics()).driftMended > 0);
    expect(helper.pid).not.toBe(pid);
    await isAsPlanned(intent);
  });

  test('an apply during which the helper dies is finished by the next one', async () => {
    const intent = testIntent(network, [news]);
    const applying = fabric.apply(intent);
    await eventually('devices come', () => linkNames().includes(`tv${vni}`));
    process.kill(helper.pid, 'SIGKILL');
    expect((await applying).state).toBe('converged');
    await eventually('all is there', async () => (await fabric.plan(intent)).length === 0);
  });
});
