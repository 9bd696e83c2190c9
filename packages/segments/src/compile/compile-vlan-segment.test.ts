import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FabricIntent } from '../intent/segment-intent.ts';
import { commandText } from '../plan/command.ts';
import { parseOperation } from '../plan/parse-operation.ts';
import { planNode } from '../plan/plan-node.ts';
import { renderOperation } from '../plan/render-operation.ts';
import { emptyState } from '../state/empty-state.ts';
import type { NodeState } from '../state/node-state.ts';
import { arbitraryFabric } from '../testing/arbitrary-fabric.ts';
import { capable, sampleIntent, sampleSegment } from '../testing/sample-intent.ts';
import { simulateOperation } from '../testing/simulate-operation.ts';
import { compileNode, type CompileOptions, wholeState } from './compile-node.ts';

const nodes = ['n1', 'n2'];
const news = sampleSegment(nodes);

function stateOf(intent: FabricIntent, more: Partial<CompileOptions> = {}): NodeState {
  const options = { node: intent.nodes[0]?.name ?? '', capabilities: capable, ...more };
  const compiled = compileNode(intent, { layout: 'vlans', ...options });
  expect(compiled.refused).toEqual([]);
  return wholeState(compiled);
}

function carriedOut(desired: NodeState, observed: NodeState): NodeState {
  return planNode(desired, observed)
    .map((operation) => parseOperation(JSON.parse(JSON.stringify(operation))))
    .reduce(simulateOperation, observed);
}

describe('a segment that is a VLAN', () => {
  const two = sampleSegment(nodes, {
    ports: news.ports.filter(({ index }) => index === 2 || index === 6),
  });
  const state = stateOf(sampleIntent([two]));

  test('is entries, marks and its ports beside devices that are there anyway', () => {
    const lines = planNode(state, emptyState).flatMap((operation) =>
      renderOperation(operation, { wireguardKeyFile: 'KEY' }).map(commandText),
    );
    const vlan = 1 + (7000 % 4094);
    const mark = (((vlan & 0x7) << 16) | ((vlan & 0x18) << 17) | ((vlan & 0xfe0) << 18)) + 16;
    expect(lines.filter((line) => /^(bridge|tc)|^ip link add/.test(line))).toEqual([
      'ip link add name tb0000 address 06:00:00:00:00:00 mtu 1450 type bridge mcast_snooping 0 vlan_filtering 1 vlan_default_pvid 0',
      'ip link add name tv0000 address 0a:00:00:00:00:00 mtu 1450 master tb0000 type vxlan external vnifilter local 192.0.2.1 dstport 4789 nolearning gbp df set',
      expect.stringMatching(
        /^ip link add name tp5eg\.2\.1 .* master tb0000 .*type veth peer name te5eg\.2\.1 /,
      ),
      'bridge vni add dev tv0000 vni 7000',
      `bridge vlan add dev tp5eg.2.1 vid ${vlan} pvid untagged`,
      `bridge vlan add dev tv0000 vid ${vlan}`,
      `bridge vlan add dev tv0000 vid ${vlan} tunnel_info id 7000`,
      `bridge fdb add 02:00:1b:58:00:02 dev tp5eg.2.1 vlan ${vlan} master static`,
      'bridge fdb append 00:00:00:00:00:00 dev tv0000 dst 192.0.2.2 src_vni 7000 self permanent',
      `bridge fdb add 02:00:1b:58:00:06 dev tv0000 vlan ${vlan} master static`,
      'bridge fdb add 02:00:1b:58:00:06 dev tv0000 dst 192.0.2.2 src_vni 7000 self permanent',
      'tc qdisc replace dev tp5eg.2.1 clsact',
      expect.stringMatching(
        new RegExp(`^tc filter replace dev tp5eg.2.1 egress .*21 1 0 ${mark},`),
      ),
      'tc qdisc replace dev tv0000 clsact',
      `tc filter replace dev tv0000 ingress protocol all pref 1 handle ${mark} flower num_of_vlans 0 enc_key_id 7000 vxlan_opts 16/0xffff action skbedit mark ${mark}`,
    ]);
    expect(lines).toContain(
      'ip link set dev tv0000 addrgenmode none type bridge_slave learning off flood off neigh_suppress off hairpin off isolated off vlan_tunnel on',
    );
  });

  test('goes without a trace, its entries before its VLAN', () => {
    const other = sampleSegment(nodes, { name: 'sports', vni: 7001, subnet: '10.8.0.0/24' });
    const ports = other.ports.map((port) => ({
      ...port,
      addresses: [`10.8.0.${port.index}`],
    }));
    const both = sampleIntent([two, { ...other, ports }]);
    const before = stateOf(both);
    const plan = planNode(stateOf({ ...both, segments: [{ ...other, ports }] }), before);
    const kinds = [...new Set(plan.map(({ kind }) => kind))];
    expect(kinds).toEqual([
      'link-delete',
      'arrival-delete',
      'vni-delete',
      'elements-delete',
      'fdb-delete',
      'tunnel-delete',
      'vlan-delete',
    ]);
    expect(plan.filter(({ kind }) => kind === 'link-delete')).toHaveLength(1);
  });
});

test('VLANs are kept: by what a segment had, and by what the kernel shows', () => {
  const options = { node: 'n1', capabilities: capable, layout: 'vlans' } as const;
  const intent = sampleIntent([news]);
  const kept = compileNode(intent, { ...options, vlans: new Map([[7000, 77]]) });
  expect(kept.segments.get(7000)?.vlan).toBe(77);
  const again = compileNode({ ...intent, segments: [{ ...news }] }, { ...options, previous: kept });
  expect(again.segments.get(7000)?.vlan).toBe(77);
});

test('a kernel that cannot is named, and carries nothing', () => {
  const { refused, segments } = compileNode(sampleIntent([news]), {
    node: 'n1',
    capabilities: { ...capable, vlanFiltering: false, vnifilter: false },
    layout: 'vlans',
  });
  expect(refused).toMatchObject([
    { code: 'module_missing', message: expect.stringMatching(/vlan_filtering.*vnifilter/) },
  ]);
  expect(segments.size).toBe(0);
});

test('from nothing, from bridges for each and back: carried out, nothing is left to do', () => {
  fc.assert(
    fc.property(arbitraryFabric, arbitraryFabric, (fabric, other) => {
      const states = [
        emptyState,
        stateOf(fabric),
        stateOf({ ...other, nodes: fabric.nodes.concat(other.nodes.slice(fabric.nodes.length)) }),
        stateOf(fabric, { layout: 'devices' }),
        stateOf(fabric),
      ];
      states.reduce((observed, desired) => {
        const reached = carriedOut(desired, observed);
        expect(planNode(desired, reached)).toEqual([]);
        return reached;
      });
    }),
    { numRuns: 15 },
  );
});
