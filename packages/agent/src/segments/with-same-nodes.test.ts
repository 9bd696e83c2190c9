import type { FabricIntent, NodeIntent } from '@tapline/segments';
import { expect, test } from 'vitest';
import { withSameNodes } from './with-same-nodes.ts';

function intent(nodes: readonly NodeIntent[], send = 1): FabricIntent {
  return { vxlanPort: 4789, nodes, segments: [], keys: { send, receive: [send] } };
}

const node = (name: string): NodeIntent => ({ name, vtep: '10.0.0.1', underlay: '10.0.0.1' });

test('what is equal is the same object, and what differs is not', () => {
  const before = intent([node('n1'), node('n2')]);
  const same = withSameNodes(intent([node('n1'), node('n2')]), before);
  expect(same.nodes).toBe(before.nodes);
  expect(same.keys).toBe(before.keys);
  const wanted = intent([node('n1')], 2);
  expect(withSameNodes(wanted, before)).toEqual(wanted);
  expect(withSameNodes(wanted, undefined)).toBe(wanted);
});
