import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import {
  commandBatches,
  type FdbEntry,
  floodMac,
  type LinkState,
  type Operation,
  type PortEnd,
} from '@tapline/segments';
import { haveProgram } from '@tapline/testing';
import { describe, expect, test } from 'vitest';
import { networkUnavailable } from './support/network-unavailable.ts';
import { type Namespace, openNamespace } from './support/open-namespace.ts';

const unavailable = networkUnavailable(haveProgram, ['ip', 'bridge', 'nsenter']);
const program = fileURLToPath(
  new URL('../../packages/fabric/src/testing/change-routes.ts', import.meta.url),
);

const entry = (fields: FdbEntry, bridged?: true): Operation => ({
  kind: 'fdb-add',
  entry: fields,
  ...(bridged && { bridged }),
});
const neighbour = (address: string, mac: string): Operation => ({
  kind: 'neighbour-add',
  neighbour: { dev: 'tb7000', address, mac },
});

/** More than one write takes, and one of each kind. */
const operations: readonly Operation[] = [
  ...Array.from({ length: 600 }, (_, at) =>
    entry(
      {
        dev: 'tv7000',
        mac: `02:00:1b:58:${(at >> 8).toString(16).padStart(2, '0')}:${(at & 255).toString(16).padStart(2, '0')}`,
        dst: `192.0.2.${2 + (at % 50)}`,
        self: true,
      },
      true,
    ),
  ),
  ...['192.0.2.2', '192.0.2.3'].map((dst) =>
    entry({ dev: 'tv7000', mac: floodMac, dst, self: true }),
  ),
  entry({ dev: 'tv7001', mac: '02:00:1b:59:00:01', dst: '2001:db8::2', self: true }),
  entry({ dev: 'tv0000', mac: floodMac, dst: '192.0.2.2', srcVni: 8000, self: true }),
  entry({ dev: 'tv0000', mac: floodMac, dst: '192.0.2.3', srcVni: 8000, self: true }),
  entry({ dev: 'tp1', mac: '02:00:1b:58:10:01', self: false }),
  neighbour('10.0.0.2', '02:00:1b:58:00:02'),
  neighbour('10.0.0.2', '02:00:1b:58:00:03'),
  neighbour('fd00::2', '02:00:1b:58:00:02'),
];

const flags = {
  isolated: false,
  neighSuppress: true,
  learning: false,
  flood: false,
  vlanTunnel: false,
  hairpin: false,
};

function bridge(name: string): Operation {
  const shape = { vlanFiltering: false, defaultPvid: 1, mcastSnooping: false };
  const mac = '06:00:1b:58:00:00';
  return {
    kind: 'link-add',
    link: { name, kind: 'bridge', up: true, mtu: 1400, mac, bridge: shape },
  };
}

function vxlan(
  name: string,
  fields: Partial<NonNullable<LinkState['vxlan']>>,
  rest: Partial<LinkState> = {},
): Operation {
  const shape = {
    local: '192.0.2.1',
    port: 4789,
    learning: false,
    gbp: true,
    external: false,
    vnifilter: false,
  };
  const mac = `0a:00:1b:58:00:${name.slice(-2)}`;
  const link = { name, kind: 'vxlan', up: true, mtu: 1400, mac, vxlan: { ...shape, ...fields } };
  return { kind: 'link-add', link: { ...link, ...rest } };
}

const end: PortEnd = {
  port: 'tp5eg.1.1',
  name: 'te5eg.1.1',
  mac: '02:00:1b:58:00:01',
  mtu: 1400,
  addresses: ['10.0.0.1', 'fd00::1'],
  prefixLengths: [24, 64],
  place: { kind: 'host' },
};

function port(rest: Partial<LinkState>): Operation {
  const link = { name: end.port, kind: 'veth', up: true, mtu: 1400, mac: '0e:00:1b:58:00:01' };
  return { kind: 'link-add', link: { ...link, ...rest }, end };
}

const devices: readonly Operation[] = [
  bridge('tb7000'),
  vxlan('tv7000', { vni: 7000 }, { master: 'tb7000', bridgePort: flags }),
  vxlan('tv7001', { vni: 7001, local: '2001:db8::1', port: 4790, gbp: false }, { lower: 'lo' }),
  vxlan('tv0000', { external: true, vnifilter: true, port: 4791 }),
  port({ master: 'tb7000', bridgePort: { ...flags, neighSuppress: false, isolated: true } }),
  {
    kind: 'egress-set',
    filter: {
      dev: end.port,
      preference: 1,
      program: [
        { code: 0x20, jt: 0, jf: 0, k: 0xfffff014 },
        { code: 0x15, jt: 0, jf: 1, k: 1 },
        { code: 0x06, jt: 0, jf: 0, k: 0xffffffff },
        { code: 0x06, jt: 0, jf: 0, k: 2 },
      ],
    },
  },
  { kind: 'end-place', end },
  { kind: 'end-place', end: { ...end, mtu: 1300 } },
];

/** Numbers that a kernel counts up or draws, how long ago something was, and what it says later. */
function withoutChance(value: unknown): unknown {
  if (Array.isArray(value)) {
    return (value as unknown[]).filter((one) => one !== 'NO-CARRIER').map(withoutChance);
  }
  if (typeof value !== 'object' || value === null) return value;
  const chance =
    /^(id|operstate|tag|jited|.*_timer|bpf_tag|name|.*_identifier|bridge_id|root_id|designated_.*)$/;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, part]) =>
      chance.test(key) ? [] : [[key, withoutChance(part)]],
    ),
  );
}

function openNode(name: string): Namespace & Disposable {
  const space = openNamespace(name);
  space.run(
    'ip -batch -',
    `link set lo up
link add tb7000 type bridge mcast_snooping 0
link add tv7000 master tb7000 type vxlan id 7000 local 192.0.2.1 dstport 4789 nolearning
link add tv7001 type vxlan id 7001 local 2001:db8::1 dstport 4790 nolearning
link add tv0000 type vxlan external vnifilter local 192.0.2.1 dstport 4791 nolearning
link add tp1 address 0e:00:00:00:00:01 master tb7000 type veth peer name te1 address 0e:00:00:00:00:02
link set tb7000 address 06:00:00:00:00:01
link set tv7000 address 0a:00:00:00:00:01
link set tb7000 up
`,
  );
  space.run('bridge -batch -', 'vni add dev tv0000 vni 8000\n');
  return space;
}

function bySocket(space: Namespace, list: readonly Operation[]): unknown {
  const words = [`--net=/run/netns/${space.name}`, process.execPath, program];
  const { stdout, stderr } = spawnSync('nsenter', words, {
    input: JSON.stringify(list),
    encoding: 'utf8',
  });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout);
}

/** In an order of their own: hashes differ from node to node. */
function shown(space: Namespace): readonly string[] {
  const outputs = ['bridge -j fdb show', 'ip -j neigh show'].map((line) => space.run(line));
  return outputs
    .flatMap((output) => JSON.parse(output) as { readonly mac?: string }[])
    .filter(({ mac }) => mac?.startsWith('33:33:') !== true)
    .map((one) => JSON.stringify(one))
    .toSorted();
}

describe.skipIf(unavailable !== undefined)(`entries without a process ${unavailable ?? ''}`, () => {
  test('what is added is what bridge and ip would have added', () => {
    using own = openNode('entries');
    using other = openNode('programs');
    const empty = shown(own).length;
    for (const batch of commandBatches(operations, { wireguardKeyFile: '' })) {
      other.run(`${batch.program} -batch -`, `${batch.lines.join('\n')}\n`);
    }
    expect(bySocket(own, operations)).toEqual({ done: true });
    expect(shown(own)).toEqual(shown(other));
    // Each MAC of the overlay is in bridge and device; one neighbour was replaced.
    expect(shown(own).length - empty).toBeGreaterThan(1200);
  });

  test('devices, their filters and their ends are what ip and tc would have made', () => {
    using own = openNamespace('devices');
    using other = openNamespace('programs');
    for (const batch of commandBatches(devices, { wireguardKeyFile: '' })) {
      other.run(`${batch.program} -batch -`, `${batch.lines.join('\n')}\n`);
    }
    expect(bySocket(own, devices)).toEqual({ done: true });
    const shownOf = (space: Namespace): readonly unknown[] => {
      const commands = [
        'ip -j -d address show',
        'ip -j -d link show',
        'tc -j filter show dev tp5eg.1.1 egress',
        'tc -j qdisc show dev tp5eg.1.1',
      ];
      return commands.map((line) => withoutChance(JSON.parse(space.run(line))));
    };
    const [found = []] = shownOf(own) as readonly (readonly { readonly ifname: string }[])[];
    expect(found.map(({ ifname }) => ifname)).toEqual(
      expect.arrayContaining(['tb7000', 'tv7000', 'tv7001', 'tv0000', 'tp5eg.1.1', 'te5eg.1.1']),
    );
    expect(shownOf(own)).toEqual(shownOf(other));
  });

  test('many devices at once, in a group, and what is wrong in the middle of them', () => {
    using space = openNamespace('group');
    const bridges = Array.from({ length: 120 }, (_, at) => bridge(`tb${8000 + at}`));
    expect(bySocket(space, bridges)).toEqual({ done: true });
    const again = [bridge('tb9000'), bridge('tb8003'), bridge('tb9001')];
    expect(bySocket(space, again)).toEqual({
      done: false,
      failed: 1,
      message: 'rtnetlink: EEXIST',
    });
    const orphan = port({ master: 'tb9999' });
    expect(bySocket(space, [bridge('tb9002'), orphan])).toEqual({
      done: false,
      failed: 1,
      message: 'rtnetlink: there is no device tb9999',
    });
  });

  test('what fails says which entry it is', () => {
    using space = openNode('failing');
    const [first, second] = operations;
    const given = [first, second, first].flatMap((one) => one ?? []);
    expect(bySocket(space, given)).toEqual({
      done: false,
      failed: 2,
      message: 'rtnetlink: EEXIST',
    });
    const unknown = entry({ dev: 'tv1', mac: floodMac, dst: '192.0.2.2', self: true });
    expect(bySocket(space, [unknown])).toEqual({
      done: false,
      failed: 0,
      message: 'rtnetlink: there is no device tv1',
    });
  });
});
