import type { OpsTarget } from '@tapline/resources';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fleet } from '../testing/samples.ts';
import { groupFaults } from './group-faults.ts';

function node(name: string): OpsTarget {
  return { kind: 'Node', name };
}

test('one node in trouble is its own cause', () => {
  expect(groupFaults(fleet(), [node('n1')])).toEqual([
    { cause: node('n1'), targets: [node('n1')] },
  ]);
});

test('what runs on a node in trouble is explained by the node', () => {
  const seen = fleet({ workloads: { news: ['n1'] } });
  const workload = { kind: 'Workload', name: 'news' } as const;
  expect(groupFaults(seen, [workload, node('n1')])).toEqual([
    { cause: node('n1'), targets: [node('n1'), workload] },
  ]);
});

test('a storm of fifty devices of a zone is the zone', () => {
  const names = Array.from({ length: 80 }, (_, at) => `d${String(at).padStart(2, '0')}`);
  const seen = fleet({
    nodes: Object.fromEntries(names.map((name, at) => [name, at < 50 ? 'a' : 'b'])),
  });
  const groups = groupFaults(
    seen,
    names.slice(0, 50).map((name) => ({ kind: 'Device', name })),
  );
  expect(groups).toHaveLength(1);
  // Fifty of eighty are more than half of the fleet, but the zone explains as much and is nearer.
  expect(groups[0]?.cause).toEqual({ kind: 'Zone', name: 'a' });
  expect(groups[0]?.targets).toHaveLength(50);
});

test('a few of many are no fault of what they share', () => {
  const names = Array.from({ length: 10 }, (_, at) => `d${at}`);
  const seen = fleet({ nodes: Object.fromEntries(names.map((name) => [name, 'a'])) });
  const targets = ['d1', 'd2'].map((name): OpsTarget => ({ kind: 'Device', name }));
  expect(groupFaults(seen, targets).map(({ cause }) => cause.name)).toEqual(['d1', 'd2']);
});

test('the order of faults changes nothing, and each is in one group', () => {
  const seen = fleet({ workloads: { news: ['n1'], chat: ['n2', 'n3'] } });
  const all: OpsTarget[] = [
    ...['n1', 'n2', 'n3'].flatMap((name): OpsTarget[] => [node(name), { kind: 'Device', name }]),
    { kind: 'Workload', name: 'news' },
    { kind: 'Workload', name: 'chat' },
  ];
  fc.assert(
    fc.property(
      fc
        .subarray(all)
        .chain((some) =>
          fc.tuple(fc.constant(some), fc.shuffledSubarray(some, { minLength: some.length })),
        ),
      ([some, other]) => {
        const groups = groupFaults(seen, some);
        expect(groupFaults(seen, other)).toEqual(groups);
        const grouped = groups.flatMap(({ targets }) => targets);
        expect(grouped).toHaveLength(some.length);
        expect(new Set(grouped.map((one) => JSON.stringify(one))).size).toBe(some.length);
      },
    ),
    { seed: 3, numRuns: 200 },
  );
});
