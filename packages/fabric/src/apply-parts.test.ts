import {
  compileNode,
  emptyState,
  type FabricIntent,
  type NodeCapabilities,
  type Operation,
  planNode,
  type SegmentIntent,
  wholeState,
} from '@tapline/segments';
import { expect, test } from 'vitest';
import { applyParts, goesInParts } from './apply-parts.ts';

const capabilities: NodeCapabilities = {
  underlayMtu: 1500,
  bridge: true,
  vxlanGbp: true,
  vnifilter: true,
  vlanFiltering: false,
  nftables: true,
  nftablesArp: true,
  clsBpf: true,
  wireguard: 'none',
  ipsec: false,
  macsec: 'none',
};
const count = 450;

function segment(index: number): SegmentIntent {
  const base = `10.${index >> 8}.${index & 0xff}`;
  return {
    name: `s${index}`,
    vni: 7000 + index,
    subnet: `${base}.0/24`,
    mtu: 1400,
    encryption: { underlay: 'none', link: 'none' },
    communities: {},
    ports: ['n1', 'n2'].map((node, at) => ({
      node,
      index: at + 1,
      incarnation: 1,
      owner: node,
      addresses: [`${base}.${at + 1}`],
      role: { kind: 'promiscuous' },
      attach: { kind: 'host' },
    })),
  };
}

const intent: FabricIntent = {
  vxlanPort: 4789,
  nodes: ['n1', 'n2'].map((name, at) => ({
    name,
    vtep: `192.0.2.${at + 1}`,
    underlay: `192.0.2.${at + 1}`,
  })),
  segments: Array.from({ length: count }, (_, index) => segment(index)),
};

function sorted(plan: readonly Operation[]): readonly string[] {
  return plan
    .flatMap((operation) =>
      operation.kind === 'elements-add'
        ? operation.elements.map((element) => `${operation.set} ${JSON.stringify(element)}`)
        : [JSON.stringify(operation)],
    )
    .toSorted();
}

async function run(
  given: FabricIntent,
  execute: Parameters<typeof applyParts>[1]['execute'],
): ReturnType<typeof applyParts> {
  return await applyParts(given, {
    layout: 'devices',
    compile: (part, previous) => compileNode(part, { node: 'n1', capabilities, previous }),
    execute,
  });
}

test('parts make what the whole makes, one after the other', async () => {
  const plans: (readonly Operation[])[] = [];
  let given = 0;
  const made = await run(intent, async (plan, { follows }) => {
    // The first stands alone, and no more than one waits for the one before it.
    expect(follows).toBe(plans.length > 0);
    plans.push(plan);
    given += 1;
    expect(given).toBeLessThanOrEqual(2);
    await Promise.resolve();
    given -= 1;
    return { done: true };
  });
  const whole = wholeState(compileNode(intent, { node: 'n1', capabilities }));
  expect(plans.length).toBeGreaterThan(2);
  expect(sorted(plans.flat())).toEqual(sorted(planNode(whole, emptyState)));
  expect(made?.operations).toBe(plans.flat().length);
  expect(made?.compiled.segments.size).toBe(count);
});

test('after a part that failed no other is given but the one that follows it', async () => {
  const given: boolean[] = [];
  const made = await run(intent, async (_plan, { follows }) => {
    given.push(follows);
    return { done: false, failed: 0, message: 'no' };
  });
  expect(made).toBeUndefined();
  expect(given).toEqual([false, true]);
});

test('a refusal leaves it to the whole', async () => {
  const twice = { ...segment(3), name: 'twice', vni: 9000 };
  const given = { ...intent, segments: [...intent.segments, twice] };
  expect(await run(given, async () => ({ done: true }))).toBeUndefined();
});

test('only many segments on a node that has none of ours go in parts', () => {
  expect(goesInParts(intent, emptyState, 'devices')).toBe(true);
  expect(goesInParts(intent, emptyState, 'carrier')).toBe(false);
  const few = { ...intent, segments: intent.segments.slice(0, 10) };
  expect(goesInParts(few, emptyState, 'devices')).toBe(false);
  const stands = wholeState(compileNode(few, { node: 'n1', capabilities }));
  expect(goesInParts(intent, stands, 'devices')).toBe(false);
  const encryption = { underlay: 'ipsec', link: 'none' } as const;
  const keyed = { ...intent, segments: [...intent.segments, { ...segment(500), encryption }] };
  expect(goesInParts(keyed, emptyState, 'devices')).toBe(false);
});
