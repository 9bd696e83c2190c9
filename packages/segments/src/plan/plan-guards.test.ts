import { expect, test } from 'vitest';
import { underlayGuard } from '../compile/underlay-guard.ts';
import { emptyState } from '../state/empty-state.ts';
import type { NodeState } from '../state/node-state.ts';
import { simulateOperation } from '../testing/simulate-operation.ts';
import { sampleSegment } from '../testing/sample-intent.ts';
import { commandText } from './command.ts';
import { parseOperation } from './parse-operation.ts';
import { planGuards } from './plan-guards.ts';
import { renderOperation } from './render-operation.ts';

const encryption = { underlay: 'wireguard', link: 'none' } as const;

function stateOf(device: string, vnis: readonly number[]): NodeState {
  const guard = underlayGuard(
    { name: device, ethernet: true, preference: 1 },
    {
      intent: { vxlanPort: 4789 },
      segments: vnis.map((vni) => ({ ...sampleSegment(['n1', 'n2']), vni, encryption })),
      taken: new Map(),
    },
  );
  return { ...emptyState, guards: guard === undefined ? [] : [guard] };
}

function text(desired: NodeState, observed: NodeState): readonly string[] {
  const { additions, removals } = planGuards(desired, observed);
  return [...additions, ...removals].flatMap((operation) =>
    renderOperation(parseOperation(JSON.parse(JSON.stringify(operation))), {
      wireguardKeyFile: 'KEY',
    })
      .map(commandText)
      .map((line) => line.replace(/bytecode .*/, 'bytecode …')),
  );
}

const set =
  'tc filter replace dev eth0 ingress protocol all pref 1 handle 0x7461 bpf da bytecode …';
const gone = 'tc filter del dev eth0 ingress protocol all pref 1 handle 0x7461 bpf';

test('the filter comes with its place, where there is none', () => {
  const desired = stateOf('eth0', [5000]);
  expect(text(desired, emptyState)).toEqual(['tc qdisc add dev eth0 clsact', set]);
  expect(text(desired, { ...emptyState, hooks: ['eth0'] })).toEqual([set]);
});

test('a filter is replaced, moved and taken away', () => {
  const desired = stateOf('eth0', [5000]);
  expect(text(desired, desired)).toEqual([]);
  expect(text(stateOf('eth0', [5000, 5002]), desired)).toEqual([set]);
  expect(text(stateOf('eth1', [5000]), desired)).toEqual([
    'tc qdisc add dev eth1 clsact',
    set.replace('eth0', 'eth1'),
    gone,
  ]);
  expect(text(emptyState, desired)).toEqual([gone]);
});

test('what was found cannot be made again, and is left where it is', () => {
  const [{ rule: _rule, ...found } = { dev: '', preference: 0, program: [] }] =
    stateOf('eth0', [5000]).guards ?? [];
  expect(text({ ...emptyState, guards: [found] }, stateOf('eth0', [5001]))).toEqual([]);
});

test('a plan carried out leaves nothing to do', () => {
  const desired = stateOf('eth0', [5000, 5002]);
  const { additions } = planGuards(desired, stateOf('eth1', [7]));
  expect(planGuards(desired, additions.reduce(simulateOperation, emptyState))).toEqual({
    additions: [],
    removals: [],
  });
});

test.each([
  { guard: { dev: 'eth0; reboot', preference: 1, hooked: true } },
  { guard: { dev: 'eth0', preference: 70_000, hooked: true } },
  { guard: { dev: 'eth0', preference: 1, hooked: 'no' } },
  { rule: { ethernet: 1, vxlanPort: 4789, vnis: [] } },
  { rule: { ethernet: true, vxlanPort: 4789, vnis: [[7, 5]] } },
  {
    rule: {
      ethernet: true,
      vxlanPort: 4789,
      vnis: [
        [5, 7],
        [6, 9],
      ],
    },
  },
  {
    rule: {
      ethernet: true,
      vxlanPort: 4789,
      vnis: Array.from({ length: 701 }, (_, at) => [at, at]),
    },
  },
])('the process with rights refuses $guard $rule', (change) => {
  const operation = {
    kind: 'underlay-guard-set',
    guard: { dev: 'eth0', preference: 1, hooked: true },
    rule: { ethernet: true, vxlanPort: 4789, vnis: [[5, 7]] },
  };
  expect(parseOperation(operation)).toEqual(operation);
  expect(() => parseOperation({ ...operation, ...change })).toThrow(
    expect.objectContaining({ code: 'operation_invalid' }),
  );
});
