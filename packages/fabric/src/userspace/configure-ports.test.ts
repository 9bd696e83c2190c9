import { type FabricIntent, portEndName, portMac } from '@tapline/segments';
import { expect, test } from 'vitest';
import { portBatches } from './configure-ports.ts';

function intentOf(path: string): FabricIntent {
  return {
    vxlanPort: 4789,
    nodes: [{ name: 'n1', vtep: '10.99.0.1', underlay: '192.0.2.1' }],
    segments: [
      {
        name: 's',
        vni: 7000,
        subnet: '10.7.0.0/24',
        mtu: 1450,
        encryption: { underlay: 'none', link: 'none' },
        communities: {},
        ports: [1, 2].map((index) => ({
          node: 'n1',
          index,
          incarnation: 1,
          owner: 'w',
          addresses: [`10.7.0.${index}`, `fd00::${index}`],
          role: { kind: 'isolated' },
          attach: index === 1 ? { kind: 'namespace', path } : { kind: 'host' },
        })),
      },
    ],
  };
}

const [first, second] = [1, 2].map((index) => portEndName(7000, { index, incarnation: 1 }));

test('MAC and place come first, then addresses, and up last', () => {
  const names = new Set([first ?? '', second ?? '']);
  const batches = portBatches(intentOf('/run/netns/a'), { node: 'n1', names });
  expect(batches).toEqual([
    {
      lines: [
        `link set dev ${first} address ${portMac(7000, 1)} mtu 1450`,
        `link set dev ${first} netns /run/netns/a`,
        `link set dev ${second} address ${portMac(7000, 2)} mtu 1450`,
      ],
    },
    {
      namespace: '/run/netns/a',
      lines: [
        `address replace 10.7.0.1/24 dev ${first}`,
        `address replace fd00::1/64 dev ${first} nodad`,
        `link set dev ${first} up`,
      ],
    },
    {
      lines: [
        `address replace 10.7.0.2/24 dev ${second}`,
        `address replace fd00::2/64 dev ${second} nodad`,
        `link set dev ${second} up`,
      ],
    },
  ]);
});

test('only what is new is set up, and a path that could be more commands is refused', () => {
  expect(portBatches(intentOf('/x'), { node: 'n1', names: new Set() })).toEqual([]);
  for (const path of ['/run/x\nlink delete eth0', '/run/a b', '']) {
    expect(() =>
      portBatches(intentOf(path), { node: 'n1', names: new Set([first ?? '']) }),
    ).toThrow(expect.objectContaining({ code: 'namespace_invalid' }));
  }
});
