import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import {
  type FabricIntent,
  portEndName,
  portMac,
  privateKeyPlace,
  wireguardConf,
  wireguardName,
} from '@tapline/segments';
import {
  eventually,
  haveProgram,
  startProcess,
  type StartedProcess,
  temporaryFolder,
  type TemporaryFolder,
} from '@tapline/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FrameProbe, startFrameProbe } from './support/frame-probe.ts';
import { measureMatrix, policyMatrix } from './support/measure-matrix.ts';
import { networkUnavailable } from './support/network-unavailable.ts';
import { type Namespace, openNamespace } from './support/open-namespace.ts';
import { openRoutedUnderlay, type RoutedUnderlay } from './support/routed-underlay.ts';
import { startSocketProbe } from './support/socket-probe.ts';
import { type TestEnd, trafficClasses } from './support/traffic-classes.ts';
import { startUserSpaceNode, type UserSpaceNode } from './support/userspace-node.ts';

const unavailable = networkUnavailable(haveProgram, ['ip', 'python3', 'wg', 'wireguard-go']);
const vni = 7001;

function newKey(): { readonly secret: string; readonly open: string } {
  const secret = spawnSync('wg', ['genkey'], { encoding: 'utf8' }).stdout.trim();
  const open = spawnSync('wg', ['pubkey'], { encoding: 'utf8', input: secret }).stdout.trim();
  return { secret, open };
}

interface Tunnel {
  readonly secret: string;
  readonly peerKey: string;
  readonly peerUnderlay: string;
  readonly own: string;
  readonly peer: string;
}

/** wireguard-go in the node's namespace, with control sockets that no other node sees. */
async function startTunnel(node: Namespace, tunnel: Tunnel): Promise<StartedProcess> {
  const { secret, peerKey, peerUnderlay, own, peer } = tunnel;
  const dev = wireguardName;
  // The configuration that a Mac is given, read by the real wg.
  const conf = wireguardConf({
    dev,
    publicKey: '',
    listenPort: 51840,
    peers: [
      {
        publicKey: peerKey,
        endpoint: `${peerUnderlay}:51840`,
        allowedIps: [`${peer}/32`],
        latestHandshake: 0,
      },
    ],
  });
  const script = `
    mkdir -p /var/run/wireguard; mount -t tmpfs none /var/run/wireguard
    wireguard-go -f ${dev} & trap "kill $!; wait" TERM
    until wg show ${dev} >/dev/null 2>&1; do sleep 0.05; done
    printf %s "$CONF" | wg setconf ${dev} /dev/stdin
    ip address add ${own}/32 dev ${dev}; ip link set ${dev} up mtu 1420
    ip route add ${peer}/32 dev ${dev}
    echo tunnel ready; wait`;
  return await startProcess('ip', ['netns', 'exec', node.name, 'sh', '-c', script], {
    env: { CONF: conf.replace(privateKeyPlace, secret) },
    readyLine: /tunnel ready/,
  });
}

describe.skipIf(unavailable !== undefined)(
  `in user space inside WireGuard ${unavailable ?? ''}`,
  () => {
    let folder: TemporaryFolder;
    let underlay: RoutedUnderlay;
    let probe: FrameProbe;
    const workloads: Namespace[] = [];
    const nodes: UserSpaceNode[] = [];
    const tunnels: StartedProcess[] = [];
    let ends: readonly TestEnd[];

    beforeAll(async () => {
      folder = await temporaryFolder();
      underlay = openRoutedUnderlay(2);
      const pairs = [newKey(), newKey()];
      for (const [index, node] of underlay.nodes.entries()) {
        const other = underlay.nodes[1 - index];
        tunnels.push(
          await startTunnel(node, {
            secret: pairs[index]?.secret ?? '',
            peerKey: pairs[1 - index]?.open ?? '',
            peerUnderlay: other?.underlay ?? '',
            own: `10.99.0.${index + 1}`,
            peer: `10.99.0.${2 - index}`,
          }),
        );
      }
      const intent: FabricIntent = {
        vxlanPort: 4789,
        nodes: underlay.nodes.map((node, index) => ({
          name: `n${index + 1}`,
          vtep: `10.99.0.${index + 1}`,
          underlay: node.underlay,
        })),
        segments: [
          {
            name: 'news',
            vni,
            subnet: '10.7.0.0/24',
            mtu: 1370,
            encryption: { underlay: 'wireguard', link: 'none' },
            communities: {},
            ports: [1, 2, 3, 4].map((index) => {
              const workload = openNamespace(`w${index}`);
              workloads.push(workload);
              return {
                node: index < 3 ? 'n1' : 'n2',
                index,
                incarnation: 1,
                owner: `w${index}`,
                addresses: [`10.7.0.${index}`],
                role: index % 2 === 1 ? { kind: 'promiscuous' } : { kind: 'isolated' },
                attach: { kind: 'namespace', path: `/run/netns/${workload.name}` },
              };
            }),
          },
        ],
      };
      const ports = intent.segments[0]?.ports ?? [];
      ends = ports.map((port) => ({
        intent: port,
        mac: portMac(vni, port.index),
        ipv4: port.addresses[0] ?? '',
      }));
      for (const [index, node] of underlay.nodes.entries()) {
        // The second one as a Mac has it, whose ports are sockets.
        const folders = index === 1 ? ['', folder.path] : [];
        const started = await startUserSpaceNode(node.name, `n${index + 1}`, ...folders);
        nodes.push(started);
        await started.stand(intent);
      }
      const [taps, machines] = [ports.slice(0, 2), ports.slice(2)];
      probe = joinProbes(
        await startFrameProbe(
          taps.map((port, number) => ({
            namespace: `/run/netns/${workloads[number]?.name}`,
            interface: portEndName(vni, port),
          })),
        ),
        {
          after: taps.length,
          probe: await startSocketProbe(
            machines.map(({ index }) => join(folder.path, `${vni}.${index}.sock`)),
          ),
        },
      );
      // The first packet starts the handshake.
      await eventually('a way through the tunnel', () => {
        const answer = underlay.nodes[0]?.tryRun('ping -c 1 -W 1 10.99.0.2') ?? '';
        return answer !== '';
      });
    });

    afterAll(async () => {
      await probe?.[Symbol.asyncDispose]();
      for (const node of nodes) await node.kill();
      for (const tunnel of tunnels) await tunnel[Symbol.asyncDispose]();
      for (const workload of workloads) workload[Symbol.dispose]();
      underlay?.[Symbol.dispose]();
      await folder?.[Symbol.asyncDispose]();
    });

    test.each(trafficClasses.map((traffic) => [traffic.name, traffic] as const))(
      '%s: cell by cell what the policy says',
      async (_, traffic) => {
        const expected = traffic.honest ? policyMatrix(ends) : [];
        expect(await measureMatrix(probe, ends, traffic, expected)).toEqual(expected);
      },
    );

    test('without the tunnel nothing passes, also not in the clear', async () => {
      await tunnels[0]?.[Symbol.asyncDispose]();
      const udp = trafficClasses.find(({ name }) => name === 'UDP');
      if (udp === undefined) throw new Error('no class');
      const local = [...policyMatrix(ends.slice(0, 2)), ...policyMatrix(ends.slice(2))];
      const expected = local.toSorted();
      expect(await measureMatrix(probe, ends, udp, expected)).toEqual(expected);
    });
  },
);

/** One probe of two: ports of the second have the numbers after those of the first. */
function joinProbes(
  first: FrameProbe,
  { after, probe: second }: { readonly after: number; readonly probe: FrameProbe },
): FrameProbe {
  return {
    send: (port, frame) =>
      port < after ? first.send(port, frame) : second.send(port - after, frame),
    async settle(quietMs) {
      const [one, two] = await Promise.all([first.settle(quietMs), second.settle(quietMs)]);
      return [...one, ...two.map(({ port, frame }) => ({ port: port + after, frame }))];
    },
    async [Symbol.asyncDispose]() {
      await first[Symbol.asyncDispose]();
      await second[Symbol.asyncDispose]();
    },
  };
}
