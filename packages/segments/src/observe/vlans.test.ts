import { describe, expect, test } from 'vitest';
import { parseFilters } from './parse-filters.ts';
import { parsePortVlans } from './parse-port-vlans.ts';

const arrival = {
  protocol: 'all',
  pref: 1,
  kind: 'flower',
  chain: 0,
  options: {
    handle: 131073,
    keys: {
      num_of_vlans: 0,
      enc_key_id: 7000,
      vxlan_opt_key: [{ gbp: 1 }],
      vxlan_opt_mask: [{ gbp: 65535 }],
    },
    not_in_hw: true,
    actions: [
      {
        order: 1,
        kind: 'skbedit',
        mark: 131073,
        control_action: { type: 'pipe' },
        index: 1,
        ref: 1,
        bind: 1,
      },
    ],
  },
};
const { options } = arrival;
const [action] = options.actions;
const head = { protocol: 'all', pref: 1, kind: 'flower', chain: 0 };
const qdiscs = '[{"kind":"clsact","dev":"tv0000"}]';

// As iproute2 6.1.0 prints it on Debian's kernel 6.1.
function read(...filters: readonly unknown[]) {
  return parseFilters(qdiscs, `[]\n${JSON.stringify([head, ...filters])}\n`);
}

describe('flower at the ingress of a VXLAN device', () => {
  test('is read where it marks frames of a VNI and group that bring no tag', () => {
    const { arrivals, foreign } = read(arrival);
    expect(arrivals).toEqual([
      { dev: 'tv0000', preference: 1, handle: 131073, vni: 7000, group: 1, mark: 131073 },
    ]);
    expect(foreign).toEqual([]);
  });

  const { num_of_vlans: _, ...tagged } = options.keys;
  test.each([
    ['of one protocol', { ...arrival, protocol: 'ip' }],
    ['of another chain', { ...arrival, chain: 1 }],
    ['that takes tags', { ...arrival, options: { ...options, keys: tagged } }],
    [
      'of a part of the group',
      {
        ...arrival,
        options: { ...options, keys: { ...options.keys, vxlan_opt_mask: [{ gbp: 1 }] } },
      },
    ],
    [
      'with one more condition',
      {
        ...arrival,
        options: { ...options, keys: { ...options.keys, dst_mac: '02:00:00:00:00:01' } },
      },
    ],
    ['with two actions', { ...arrival, options: { ...options, actions: [action, action] } }],
    ['that drops', { ...arrival, options: { ...options, actions: [{ ...action, kind: 'gact' }] } }],
    [
      'that marks in part',
      { ...arrival, options: { ...options, actions: [{ ...action, mask: 1 }] } },
    ],
  ])('%s is somebody else’s', (_name, filter) => {
    const { arrivals, foreign } = read(filter);
    expect(arrivals).toEqual([]);
    expect(foreign).toEqual([
      { dev: 'tv0000', direction: 'ingress', kind: 'flower', preference: 1 },
    ]);
  });
});

describe('VLANs of ports', () => {
  test('are read with their flags, ranges one by one', () => {
    const output = JSON.stringify([
      { ifname: 'tp5eg.1.1', vlans: [{ vlan: 10, flags: ['PVID', 'Egress Untagged'] }] },
      { ifname: 'tv0000', vlans: [{ vlan: 10, vlanEnd: 12 }] },
    ]);
    expect(parsePortVlans(output)).toEqual([
      { dev: 'tp5eg.1.1', vlan: 10, pvid: true, untagged: true },
      ...[10, 11, 12].map((vlan) => ({ dev: 'tv0000', vlan, pvid: false, untagged: false })),
    ]);
  });

  test('that are none are refused', () => {
    const output = JSON.stringify([{ ifname: 'tv0000', vlans: [{ vlan: 10, vlanEnd: 5000 }] }]);
    expect(() => parsePortVlans(output)).toThrow(
      expect.objectContaining({ code: 'observation_invalid' }),
    );
  });
});
