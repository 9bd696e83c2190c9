import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '@tapline/base';
import type { FabricIntent, SegmentIntent } from '@tapline/segments';
import { temporaryFolder } from '@tapline/testing';
import { expect, test } from 'vitest';
import { recordedMac } from '../testing/recorded-mac.ts';
import { wireguardKeyFile } from '../helper/wireguard-key-file.ts';
import { createMacUnderlay } from './create-mac-underlay.ts';

const key = (byte: number): string => Buffer.alloc(32, byte).toString('base64');

function segment(vni: number, underlay: 'none' | 'wireguard'): SegmentIntent {
  return {
    name: `s${vni}`,
    vni,
    subnet: `10.${vni - 7000}.0.0/24`,
    mtu: 1370,
    encryption: { underlay, link: 'none' },
    communities: {},
    ports: ['mac', 'n2'].map((node, at) => ({
      node,
      index: at + 1,
      incarnation: 1,
      owner: node,
      addresses: [`10.${vni - 7000}.0.${at + 1}`],
      role: { kind: 'promiscuous' },
      attach: { kind: 'host' },
    })),
  };
}

async function startMac() {
  const folder = await temporaryFolder();
  const file = join(folder.path, 'key');
  const { publicKey } = await wireguardKeyFile(file);
  const mac = recordedMac(publicKey);
  const fabric = createMacUnderlay({
    node: 'mac',
    clock: systemClock,
    wireguardKeyFile: file,
    run: mac.run,
  });
  const intent = (...segments: readonly SegmentIntent[]): FabricIntent => ({
    vxlanPort: 4789,
    nodes: [
      { name: 'mac', vtep: '100.112.0.1', underlay: '192.168.1.20', wireguardKey: publicKey },
      { name: 'n2', vtep: '100.112.0.3', underlay: '172.30.3.2', wireguardKey: key(2) },
    ],
    segments,
  });
  return {
    folder,
    file,
    mac,
    fabric,
    intent,
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

test('a segment inside WireGuard: the tunnel, its address and routes, and nothing left to do', async () => {
  await using node = await startMac();
  const { mac, fabric } = node;
  const intent = node.intent(segment(7001, 'wireguard'));
  expect(await fabric.apply(intent)).toMatchObject({ state: 'converged' });
  expect(mac.commands).toEqual([
    'wireguard-go utun74',
    'wg setconf utun74 /dev/stdin',
    'ifconfig utun74 mtu 1420',
    'ifconfig utun74 inet 100.112.0.1/32 100.112.0.1 alias',
    'ifconfig utun74 up',
    'route -q -n add -inet 100.112.0.3 -interface utun74',
  ]);
  expect(await fabric.plan(intent)).toEqual([]);
  const secret = (await readFile(node.file, 'utf8')).trim();
  expect(mac.inputs).toEqual([
    `[Interface]\nPrivateKey = ${secret}\nListenPort = 51840\n\n[Peer]\nPublicKey = ${key(2)}\nEndpoint = 172.30.3.2:51840\nAllowedIPs = 100.112.0.3/32\nPersistentKeepalive = 25\n`,
  ]);
  expect(mac.commands.join('\n')).not.toContain(secret);
});

test('what changes by somebody else is mended, and only that', async () => {
  await using node = await startMac();
  const { mac, fabric } = node;
  const intent = node.intent(segment(7001, 'wireguard'), segment(7002, 'wireguard'));
  await fabric.apply(intent);
  mac.commands.length = 0;
  const tunnel = mac.interfaces.get('utun74');
  if (tunnel === undefined) throw new Error('not there');
  tunnel.addresses.push('inet 10.9.9.9 netmask 0xffffff00');
  tunnel.up = false;
  tunnel.mtu = 1500;
  await fabric.apply(intent);
  expect(mac.commands).toEqual([
    'ifconfig utun74 mtu 1420',
    'ifconfig utun74 inet 10.9.9.9 -alias',
    'ifconfig utun74 up',
  ]);
});

test('with the last segment the tunnel goes', async () => {
  await using node = await startMac();
  const { mac, fabric } = node;
  await fabric.apply(node.intent(segment(7001, 'wireguard')));
  mac.commands.length = 0;
  await fabric.apply(node.intent());
  expect(mac.commands).toEqual(['rm -f /var/run/wireguard/utun74.sock']);
  expect([...mac.interfaces.keys()]).toEqual(['lo0', 'en0']);
});

test('a segment in the clear is refused, and has no device', async () => {
  await using node = await startMac();
  const { state, conditions } = await node.fabric.apply(node.intent(segment(7001, 'none')));
  expect(state).toBe('degraded');
  expect(conditions).toEqual([
    expect.objectContaining({ segment: 's7001', ready: false, reason: 'module_missing' }),
  ]);
  expect(conditions[0]?.message).toContain('node mac is a Mac');
  expect(node.mac.commands).toEqual([]);
});

test('a tunnel of somebody else is left alone', async () => {
  await using node = await startMac();
  node.mac.interfaces.set('utun74', { mtu: 1380, up: true, addresses: [] });
  await expect(node.fabric.apply(node.intent(segment(7001, 'wireguard')))).rejects.toMatchObject({
    code: 'interface_taken',
    message: expect.stringContaining('utun74') as string,
  });
  expect(node.mac.commands).toEqual([]);
});

test('its devices are shown by the names that they have elsewhere', async () => {
  await using node = await startMac();
  await node.fabric.apply(node.intent(segment(7001, 'wireguard')));
  const { links, addresses, wireguard } = await node.fabric.observe();
  expect(links.map(({ name, mtu }) => [name, mtu])).toContainEqual(['tw0', 1420]);
  expect(addresses).toContainEqual({ dev: 'tw0', address: '100.112.0.1', prefixLength: 32 });
  expect(addresses).toContainEqual({ dev: 'en0', address: '192.168.1.20', prefixLength: 24 });
  expect(wireguard.map(({ dev, peers }) => [dev, peers.length])).toEqual([['tw0', 1]]);
});
