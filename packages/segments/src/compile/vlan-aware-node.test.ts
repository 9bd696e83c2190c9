import { expect, test } from 'vitest';
import type { FabricIntent } from '../intent/segment-intent.ts';
import { vlanAwareCommands } from './vlan-aware-node.ts';

const intent: FabricIntent = {
  vxlanPort: 4789,
  nodes: ['n1', 'n2'].map((name, index) => ({
    name,
    vtep: `10.99.0.${index + 1}`,
    underlay: `192.0.2.${index + 1}`,
  })),
  segments: [7000, 7001].map((vni) => ({
    name: `s${vni}`,
    vni,
    subnet: '10.7.0.0/24',
    mtu: 1450,
    encryption: { underlay: 'none', link: 'none' },
    communities: { a: 16 },
    ports: ['n1', 'n2'].map((node, index) => ({
      node,
      index: index + 1,
      incarnation: 1,
      owner: 'w',
      addresses: [`10.7.0.${index + 1}`],
      role: index === 0 ? { kind: 'isolated' } : { kind: 'community', community: 'a' },
      attach: { kind: 'host' },
    })),
  })),
};
const vlans = new Map([
  [7000, 1],
  [7001, 4094],
]);

test('rules come before devices, devices are up last, and each VNI has its VLAN', () => {
  const commands = vlanAwareCommands(intent, { node: 'n1', vlans });
  expect(commands[0]?.program).toBe('nft');
  expect(commands.slice(-2).map(({ line }) => line)).toEqual([
    'link set tv0000 up',
    'link set tb0000 up',
  ]);
  const lines = commands.map(({ line }) => line);
  expect(lines).toContain('vlan add dev tv0000 vid 1 tunnel_info id 7000');
  expect(lines).toContain('vlan add dev tv0000 vid 4094 tunnel_info id 7001');
  expect(lines).toContain(
    'fdb append 00:00:00:00:00:00 dev tv0000 src_vni 7001 dst 192.0.2.2 self',
  );
  // The group of the other node's port, and no other, becomes a mark.
  expect(lines.filter((line) => line.startsWith('filter add')).join('\n')).toMatch(
    /^(filter add .* enc_key_id 700[01] vxlan_opts 16\/0xffffffff action skbedit mark 16\n?){2}$/,
  );
});

test.each([0, 4095, 1.5, undefined])('VLAN %s is refused', (vlan) => {
  const wrong = new Map([[7000, 1]]);
  if (vlan !== undefined) wrong.set(7001, vlan);
  expect(() => vlanAwareCommands(intent, { node: 'n1', vlans: wrong })).toThrow(
    expect.objectContaining({ code: 'vlan_invalid' }),
  );
});
