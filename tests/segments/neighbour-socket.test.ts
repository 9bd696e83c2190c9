import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { commandBatches, type FdbEntry, floodMac, type Operation } from '@tapline/segments';
import { haveProgram } from '@tapline/testing';
import { describe, expect, test } from 'vitest';
import { networkUnavailable } from './support/network-unavailable.ts';
import { type Namespace, openNamespace } from './support/open-namespace.ts';

const unavailable = networkUnavailable(haveProgram, ['ip', 'bridge', 'nsenter']);
const program = fileURLToPath(
  new URL('../../packages/fabric/src/testing/add-neighbours.ts', import.meta.url),
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
