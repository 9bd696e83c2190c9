import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileNode, wholeState } from '../compile/compile-node.ts';
import { mayReach } from '../intent/port-role.ts';
import type { PortIntent, SegmentIntent } from '../intent/segment-intent.ts';
import { groupId } from '../names/group-id.ts';
import { portName } from '../names/interface-names.ts';
import { portMac } from '../names/port-mac.ts';
import { emptyState } from '../state/empty-state.ts';
import type { NodeState } from '../state/node-state.ts';
import { reachablePairs, type Sender } from '../testing/reachable-pairs.ts';
import { capable, roles, sampleIntent, sampleSegment } from '../testing/sample-intent.ts';
import { simulateOperation } from '../testing/simulate-operation.ts';
import { commandText } from './command.ts';
import { parseOperation } from './parse-operation.ts';
import { planNode } from './plan-node.ts';
import { renderOperation } from './render-operation.ts';

const nodes = ['n1', 'n2'];

function stateOf(segments: readonly SegmentIntent[]): NodeState {
  return wholeState(
    compileNode(
      { ...sampleIntent([sampleSegment(nodes)]), segments },
      { node: 'n1', capabilities: capable },
    ),
  );
}

function text(desired: NodeState, observed: NodeState): readonly string[] {
  return planNode(desired, observed).flatMap((operation) =>
    renderOperation(operation, { wireguardKeyFile: 'KEY' }).map(commandText),
  );
}

const before = stateOf([sampleSegment(nodes)]);

test('a plan from nothing has rules before devices, and ports up last', () => {
  const kinds = planNode(before, emptyState).map(({ kind }) => kind);
  const order = [...new Set(kinds)];
  expect(order).toEqual([
    'tables-install',
    'elements-add',
    'link-add',
    'fdb-add',
    'egress-set',
    'end-place',
    'link-up',
    'neighbour-add',
  ]);
});

test('nothing is to be done where everything is as wanted', () => {
  expect(planNode(before, before)).toEqual([]);
});

test('a port that comes is all that a plan touches', () => {
  const fewer = sampleSegment(nodes, { ports: sampleSegment(nodes).ports.slice(0, -1) });
  expect(text(before, stateOf([fewer]))).toEqual([
    'add element bridge tapline remote { "tv7000" . 02:00:1b:58:00:08 . 2 }',
    'add element bridge tapline arp_targets { "tp5eg.1.1" . 10.7.0.8 }',
    'add element bridge tapline nd_targets { "tp5eg.1.1" . 0xfd000007000000000000000000000008, "tp5eg.1.1" . 0xfe8000000000000000001bfffe580008 }',
    'add element arp tapline answers { "tp5eg.1.1" . 10.7.0.8 : 2 }',
    'bridge fdb add 02:00:1b:58:00:08 dev tv7000 dst 192.0.2.2 self master static',
    'ip neigh replace 10.7.0.8 lladdr 02:00:1b:58:00:08 nud permanent dev tb7000',
  ]);
});

test('a port goes before its rules', () => {
  const fewer = sampleSegment(nodes, { ports: sampleSegment(nodes).ports.slice(1) });
  const plan = text(stateOf([fewer]), before);
  expect(plan[0]).toBe('ip link delete dev tp5eg.1.1');
  expect(plan.filter((line) => !line.startsWith('delete element'))).toHaveLength(1);
});

test('a segment that goes takes its elements along, and leaves the tables of the others', () => {
  const options = { node: 'n1', capabilities: capable };
  const part = compileNode(sampleIntent([sampleSegment(nodes)]), options).segments.get(7000)?.state;
  const kinds = new Set(planNode(emptyState, part ?? emptyState).map(({ kind }) => kind));
  expect([...kinds]).toEqual(['link-delete', 'elements-delete']);
});

test('what is not ours is left alone, but not in our bridges', () => {
  const foreign: NodeState = {
    ...before,
    links: [
      ...before.links,
      { name: 'docker0', kind: 'bridge', up: true, mtu: 1500, mac: '' },
      { name: 'veth1', kind: 'veth', up: true, mtu: 1500, mac: '', master: 'tb7000' },
    ],
    nft: {
      tables: [...before.nft.tables, { family: 'inet', name: 'filter', chains: [], sets: [] }],
    },
  };
  expect(text(before, foreign)).toEqual(['ip link set dev veth1 nomaster']);
});

test('a flushed table, a filter that is gone and a bridge that is gone are mended', () => {
  const flushed = { ...before, nft: { tables: [] } };
  expect(
    planNode(before, flushed)
      .map(({ kind }) => kind)
      .slice(0, 2),
  ).toEqual(['tables-install', 'elements-add']);
  const open = { ...before, egress: before.egress.slice(1) };
  expect(planNode(before, open).map(({ kind }) => kind)).toEqual(['egress-set']);
  const bridgeless = simulateOperation(before, { kind: 'link-delete', name: 'tb7000' });
  const mended = planNode(before, bridgeless).reduce(simulateOperation, bridgeless);
  expect(planNode(before, mended)).toEqual([]);
});

/** A segment whose ports have any of the roles, or are absent. */
const segments = fc
  .array(fc.integer({ min: 0, max: roles.length }), { minLength: 8, maxLength: 8 })
  .map((choice): SegmentIntent => {
    const template = sampleSegment(nodes);
    const ports = template.ports.flatMap((port, at): readonly PortIntent[] => {
      const role = roles[choice[at] ?? 0];
      return role === undefined ? [] : [{ ...port, role, incarnation: 1 + (choice[at] ?? 0) }];
    });
    return { ...template, ports };
  });

function allowedPairs(segment: SegmentIntent): ReadonlySet<string> {
  return new Set(
    segment.ports.flatMap((from) =>
      segment.ports
        .filter((to) => from !== to && mayReach(from.role, to.role))
        .map((to) => `${portMac(segment.vni, from.index)} → ${portMac(segment.vni, to.index)}`),
    ),
  );
}

function sendersOf(list: readonly SegmentIntent[]): readonly Sender[] {
  return list.flatMap((segment) =>
    segment.ports.map(({ node, role, index }) => {
      const mac = portMac(segment.vni, index);
      return node === 'n1' ? { mac } : { mac, group: groupId(role, segment.communities) };
    }),
  );
}

function macOf(name: string): string {
  for (const { index } of sampleSegment(nodes).ports) {
    for (let incarnation = 1; incarnation <= 6; incarnation += 1) {
      if (portName(7000, { index, incarnation }) === name) return portMac(7000, index);
    }
  }
  return name;
}

describe('after any prefix of a plan', () => {
  test('nothing passes that neither the old nor the new policy lets pass', () => {
    fc.assert(
      fc.property(segments, segments, (old, wanted) => {
        const from = stateOf([old]);
        const to = stateOf([wanted]);
        const allowed = new Set([...allowedPairs(old), ...allowedPairs(wanted)]);
        const senders = sendersOf([old, wanted]);
        let state = from;
        for (const operation of planNode(to, from)) {
          state = simulateOperation(state, operation);
          const open = [...reachablePairs(state, { senders, macOf })].filter(
            (pair) => !allowed.has(pair),
          );
          expect(open, operation.kind).toEqual([]);
        }
        expect(planNode(to, state)).toEqual([]);
        // What the new policy lets pass does pass: the check above cannot hold by nothing passing.
        const local = sendersOf([wanted]);
        const here = new Set(
          wanted.ports.filter(({ node }) => node === 'n1').map(({ index }) => portMac(7000, index)),
        );
        const expected = [...allowedPairs(wanted)].filter((pair) =>
          here.has(pair.split(' → ')[1] ?? ''),
        );
        const reached = reachablePairs(state, { senders: local, macOf });
        expect(expected.filter((pair) => !reached.has(pair))).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  test('the rest is what is left to do, so that a kill at any place is made good', () => {
    fc.assert(
      fc.property(segments, segments, fc.nat(200), (old, wanted, cut) => {
        const from = stateOf([old]);
        const to = stateOf([wanted]);
        const half = planNode(to, from).slice(0, cut).reduce(simulateOperation, from);
        const done = planNode(to, half).reduce(simulateOperation, half);
        expect(planNode(to, done)).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});

test('every operation of a plan passes the check of the process with rights', () => {
  for (const operation of [...planNode(before, emptyState), ...planNode(emptyState, before)]) {
    expect(parseOperation(JSON.parse(JSON.stringify(operation)))).toEqual(operation);
  }
});

test.each([
  [{ kind: 'shell', line: 'id' }, 'kind "shell"'],
  [{ kind: 'link-delete', name: 'eth0' }, 'name "eth0"'],
  [{ kind: 'link-up', name: 'tb7000; reboot' }, 'name "tb7000; reboot"'],
  [{ kind: 'link-release', name: 'a b' }, 'name "a b"'],
  [
    { kind: 'elements-add', set: 'allow', elements: [{ concat: ['x } ; flush ruleset'] }] },
    'elements "x }',
  ],
  [
    {
      kind: 'egress-set',
      filter: { dev: 'tp1.1.1', preference: 1, program: [{ code: "'", jt: 0, jf: 0, k: 0 }] },
    },
    'code',
  ],
  [
    {
      kind: 'fdb-add',
      entry: { dev: 'tv7000', mac: '02:00:00:00:00:01', dst: '1.2.3.4\nlink del x' },
    },
    'no IPv4',
  ],
  [{ kind: 'tables-install', vxlanPort: '4789' }, 'vxlanPort'],
  [null, 'operation null'],
])('the process with rights refuses %j', (operation, message) => {
  expect(() => parseOperation(operation)).toThrow(message);
});
