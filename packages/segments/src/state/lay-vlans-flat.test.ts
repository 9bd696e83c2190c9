import { describe, expect, test } from 'vitest';
import { compiledStates } from '../testing/compiled-states.ts';
import { sampleIntent, sampleSegment } from '../testing/sample-intent.ts';
import { layVlansFlat } from './lay-vlans-flat.ts';
import type { LinkState, NodeState } from './node-state.ts';

const claim = sampleIntent([sampleSegment(['a', 'b'])]);
const state = compiledStates(claim, 0b11).get('a') ?? fail();
const nothing = (): { readonly size: number } => ({ size: 0 });
const vlan = 1 + (7000 % 4094);

function withTunnel(change: Partial<LinkState>): NodeState {
  return {
    ...state,
    links: state.links.map((link) => (link.name === 'tv0000' ? { ...link, ...change } : link)),
  };
}

test('each VLAN is a bridge, and the device of many VNIs one of its own in it', () => {
  const flat = layVlansFlat(state, nothing) ?? fail();
  const members = flat.filter(({ master }) => master === `tb0000/${vlan}`);
  expect(members.map(({ name, at }) => `${name}${at}`)).toEqual(
    ['tv0000', 'tp5eg.1.1', 'tp5eg.2.1', 'tp5eg.3.1', 'tp5eg.4.1'].map((name) => `${name}/${vlan}`),
  );
  const [tunnel] = members;
  expect(tunnel?.vxlan?.vni).toBe(7000);
  expect(tunnel?.sends.map(({ dst }) => dst)).toEqual(['192.0.2.2']);
  // Of a group that no port of another node has, a frame bears nothing.
  expect([tunnel?.bears(2), tunnel?.bears(99)].map((mark) => (mark ?? 0) & 0xffff)).toEqual([2, 0]);
  expect(tunnel?.bears(2)).toBeGreaterThan(0xffff);
});

test('bridges without VLANs are as they are', () => {
  const plain = compiledStates(claim).get('a') ?? fail();
  const flat = layVlansFlat(plain, nothing) ?? fail();
  expect(flat.map(({ name, at }) => name + at)).toEqual(plain.links.map(({ name }) => name));
  expect(flat.find(({ name }) => name === 'tv7000')?.bears(16)).toBe(16);
});

describe('nothing is said where more may come in', () => {
  const port = { dev: 'tv0000', vlan, pvid: true, untagged: false };
  test.each<[string, NodeState]>([
    ['VNIs of no VLAN, where frames without a tag are in one', { ...state, portVlans: [port] }],
    ['VNIs that are no VLANs', withTunnel({ bridgePort: { ...flags(), vlanTunnel: false } })],
    ['a device of many VNIs in a bridge without VLANs', withTunnel({ master: 'br9' })],
    [
      'marks of somebody else',
      {
        ...state,
        foreignFilters: [{ dev: 'tv0000', direction: 'ingress', kind: 'bpf', preference: 2 }],
      },
    ],
    [
      'a group with two marks',
      { ...state, arrivals: [...(state.arrivals ?? []), ...(state.arrivals ?? [])] },
    ],
  ])('%s', (_, other) => {
    expect(layVlansFlat(other, nothing)).toBeUndefined();
  });

  test('frames with a tag of their own, where rules let them in', () => {
    expect(layVlansFlat(state, () => ({ size: 1 }))).toBeUndefined();
  });
});

function flags(): NonNullable<LinkState['bridgePort']> {
  return state.links.find(({ name }) => name === 'tv0000')?.bridgePort ?? fail();
}

function fail(): never {
  throw new Error('it is not there');
}
