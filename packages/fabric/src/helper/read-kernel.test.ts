import { expect, test } from 'vitest';
import { readKernel } from './read-kernel.ts';
import type { RunProgram } from './run-program.ts';

/** Programs that print what is given for a command and its input, and fail for all else. */
function programs(printed: Readonly<Record<string, string>>) {
  const ran: string[] = [];
  const run: RunProgram = async (command, { stdin = '' } = {}) => {
    const text = [command.join(' '), ...stdin.trim().split('\n')].filter(Boolean).join(' | ');
    ran.push(text);
    const stdout = printed[text];
    return stdout === undefined
      ? { code: 1, stdout: '[]\n', stderr: 'Command failed -:1' }
      : { code: 0, stdout, stderr: '' };
  };
  return { ran, run };
}

const links = '[{"ifname":"lo"},{"ifname":"tw0","linkinfo":{"info_kind":"tun"}}]';

test('one process for each program, and what no device is for is not asked', async () => {
  const { ran, run } = programs({
    'ip -j -d -s -batch - | address show': '[{"ifname":"lo"}]\n',
    'ip -j -batch - | neigh show': '[]\n',
    'bridge -j -batch - | fdb show': '[1]\n',
    'tc -j -batch - | qdisc show': '[]\n',
  });
  const what = ['links', 'addresses', 'neighbours', 'fdb', 'qdiscs', 'filters'] as const;
  const all = [...what, 'wireguard', 'routes', 'macsec'] as const;
  expect(await readKernel(all, run)).toEqual({
    links: '[{"ifname":"lo"}]',
    addresses: '[{"ifname":"lo"}]',
    neighbours: '[]',
    fdb: '[1]',
    qdiscs: '[]',
    filters: '',
    wireguard: '',
    routes: '',
    macsec: '',
  });
  expect(ran).toHaveLength(4);
});

test('what devices are for is asked where there is one', async () => {
  const { run } = programs({
    'ip -j -d -s -batch - | address show': `${links}\n`,
    'wg show all dump': 'tw0\tsecret\tpublic\t51820\toff\n',
    'ip -j route show dev tw0': '[]\n',
  });
  expect(await readKernel(['links', 'wireguard', 'routes', 'macsec'], run)).toEqual({
    links,
    wireguard: 'tw0\t(none)\tpublic\t51820\toff\n',
    routes: '[]\n',
    macsec: '',
  });
});

test('what has no JSON is the rest of what its batch prints', async () => {
  const state = 'src 192.0.2.1 dst 192.0.2.2\n\tproto esp spi 0x1\n';
  const policy = 'src 192.0.2.1/32 dst 192.0.2.2/32\n\tdir out priority 0\n';
  const { run } = programs({
    'ip -j -d -s -batch - | address show | xfrm state list nokeys': `[]\n${state}`,
    'ip -j -batch - | neigh show | xfrm policy': `[]\n${policy}`,
  });
  const what = ['links', 'neighbours', 'xfrmStates', 'xfrmPolicies'] as const;
  const found = await readKernel(what, run);
  expect(found).toMatchObject({ links: '[]', xfrmStates: state, xfrmPolicies: policy });
});

test('a batch that does not end well is read one by one, and what must answer is missed', async () => {
  const printed = {
    'ip -j -d link': '[]\n',
    'ip -j neigh': '[]\n',
    'bridge -j fdb': '[]\n',
    // One list where three were asked for.
    'bridge -j -batch - | fdb show | vlan tunnelshow | vlan show | vni show': '[]\n',
  };
  const { run } = programs(printed);
  const what = ['links', 'neighbours', 'fdb', 'vlans', 'portVlans', 'vnis'] as const;
  expect(await readKernel(what, run)).toEqual({
    links: '[]\n',
    neighbours: '[]\n',
    fdb: '[]\n',
    vlans: '',
    portVlans: '',
    vnis: '',
  });
  await expect(readKernel(['addresses'], run)).rejects.toMatchObject({ code: 'kernel_unreadable' });
});

test('what is encrypted is not taken for nothing where rules say that there is some', async () => {
  const without = { 'ip xfrm policy': '' };
  const plain = programs({ ...without, 'nft -j list ruleset': '{"nftables":[]}' });
  expect(await readKernel(['nft', 'xfrmStates'], plain.run)).toMatchObject({ xfrmStates: '' });
  const guarded = programs({
    ...without,
    'nft -j list ruleset': '{"nftables":[{"table":{"family":"inet","name":"tapline_ipsec"}}]}',
  });
  await expect(readKernel(['nft', 'xfrmStates'], guarded.run)).rejects.toMatchObject({
    code: 'kernel_unreadable',
    hint: expect.stringContaining('xfrm_user') as string,
  });
  // Where there is none, it answers so.
  const ended = programs({ 'nft -j list ruleset': '"tapline_ipsec"', 'ip xfrm policy': '' });
  expect(await readKernel(['nft', 'xfrmPolicies'], ended.run)).toMatchObject({ xfrmPolicies: '' });
});
