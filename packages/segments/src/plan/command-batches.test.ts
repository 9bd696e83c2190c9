import { expect, test } from 'vitest';
import { compileNode, wholeState } from '../compile/compile-node.ts';
import { emptyState } from '../state/empty-state.ts';
import { capable, sampleIntent, sampleSegment } from '../testing/sample-intent.ts';
import { type CommandBatch, commandBatches } from './command-batches.ts';
import { planNode } from './plan-node.ts';

const nodes = ['n1', 'n2'];

function planOf(count: number): ReturnType<typeof planNode> {
  const segment = sampleSegment(nodes);
  const segments = Array.from({ length: count }, (_, index) => ({
    ...segment,
    name: `s${index}`,
    vni: 7000 + index,
    subnet: `10.${index}.0.0/24`,
    ports: segment.ports.map((port) => ({
      ...port,
      addresses: port.addresses.map((address) => address.replace(/^10\.[0-9]+/, `10.${index}`)),
    })),
  }));
  const intent = { ...sampleIntent([segment]), segments };
  return planNode(
    wholeState(compileNode(intent, { node: 'n1', capabilities: capable })),
    emptyState,
  );
}

function linesOf(batches: readonly CommandBatch[]): readonly string[] {
  return batches.flatMap(({ lines }) => lines);
}

const options = { wireguardKeyFile: '' };

test('many new devices are brought up by their group, which no line of another names', () => {
  const plan = planOf(10);
  const ups = plan.filter(({ kind }) => kind === 'link-up').length;
  const lines = linesOf(commandBatches(plan, { ...options, group: 77 }));
  expect(lines.filter((line) => line.endsWith(' up') && line.includes(' group 77'))).toEqual([
    'link set group 77 up',
  ]);
  expect(lines.filter((line) => /^link set dev t[bvp]\S+ up$/.test(line))).toEqual([]);
  expect(
    lines.filter((line) => line.startsWith('link add') && line.includes('group 77')),
  ).toHaveLength(ups);
  expect(lines.indexOf('link set group 77 addrgenmode none')).toBe(
    lines.indexOf('link set group 77 up') - 1,
  );
  expect(lines.filter((line) => line.includes('dev') && line.includes('addrgenmode'))).toEqual([]);
});

test('where the group cannot come up, each of its lines says whose it is', () => {
  const plan = planOf(10);
  const apart = commandBatches(plan, { ...options, group: 77 }).flatMap(
    (batch) => batch.apart ?? [],
  );
  expect(apart).toHaveLength(1);
  const [{ lines, operations } = { lines: [], operations: [] }] = apart;
  expect(lines).toEqual(
    operations.map((index) => {
      const operation = plan[index];
      return operation?.kind === 'link-up' ? `link set dev ${operation.name} up` : '';
    }),
  );
});

test('few devices, and devices that were there, are brought up one by one', () => {
  const few = linesOf(commandBatches(planOf(1), { ...options, group: 77 }));
  expect(few.filter((line) => line.includes(' group 77'))).toEqual([]);
  const ups = planOf(10).filter(({ kind }) => kind === 'link-up');
  const there = linesOf(commandBatches(ups, { ...options, group: 77 }));
  expect(there).toHaveLength(ups.length);
  expect(there.filter((line) => line.includes(' group 77'))).toEqual([]);
});

test('beside rules there is only what touches new devices that are down', () => {
  const plan = planOf(3);
  const batches = commandBatches(plan, options);
  expect(batches.map(({ program, dormant }) => `${program} ${dormant}`)).toEqual([
    'nft false',
    'ip true',
    'bridge true',
    'tc true',
    'ip false',
  ]);
  // The same for devices that stand: a frame could come between.
  const again = plan.filter(({ kind }) => kind === 'fdb-add' || kind === 'egress-set');
  expect(commandBatches(again, options).some(({ dormant }) => dormant)).toBe(false);
});
