import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { cpus, totalmem } from 'node:os';
import { promisify } from 'node:util';
import type { Fabric } from '@tapline/fabric';
import type { NodeStatus } from '@tapline/resources';
import { foreignNetworks } from './foreign-networks.ts';
import { capabilityNames } from './capability-names.ts';

const run = promisify(execFile);
const outputBytes = 64 * 1024 * 1024;

/** What a node says of itself, without what the control plane knows better. */
export type NodeFacts = Omit<NodeStatus, 'vtep' | 'conditions'>;

/** The address that this machine has for whoever is on the way to that host. Sends nothing. */
export async function underlayAddress(server: URL): Promise<string> {
  const host = server.hostname.replace(/^\[|\]$/g, '');
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  try {
    socket.connect(Number(server.port === '' ? 443 : server.port), host);
    await once(socket, 'connect');
    return socket.address().address;
  } finally {
    socket.close();
  }
}

/** Looks at this machine; `address` is its underlay's. */
export async function readNodeFacts(
  address: string,
  fabric: Pick<Fabric, 'capabilities' | 'datapath' | 'observe' | 'wireguardKey'>,
): Promise<NodeFacts> {
  const capabilities = await fabric.capabilities();
  const state = await fabric.observe();
  const [routes4, routes6] = await Promise.all([routes('-4'), routes('-6')]);
  const name = state.addresses.find((one) => one.address === address)?.dev;
  const mtu = state.links.find((link) => link.name === name)?.mtu ?? capabilities.underlayMtu;
  return {
    underlay: {
      address,
      ...(name === undefined ? {} : { interface: name }),
      mtu,
    },
    ...(capabilities.wireguard === 'none' ? {} : { wireguardKey: await fabric.wireguardKey() }),
    datapath: fabric.datapath,
    capabilities: [...capabilityNames(capabilities)],
    capacity: { cpus: cpus().length, memoryBytes: totalmem() },
    foreign: foreignNetworks(state, [...routes4, ...routes6]),
  };
}

/** `ip -j route`: where this machine sends what to. */
async function routes(family: '-4' | '-6'): Promise<readonly unknown[]> {
  // A Mac's networks are known by its addresses: `netstat` shortens them.
  if (process.platform === 'darwin') return [];
  const words = ['-j', family, 'route', 'show', 'table', 'main'];
  const { stdout } = await run('ip', words, { maxBuffer: outputBytes, timeout: 10_000 });
  const parsed: unknown = stdout.trim() === '' ? [] : JSON.parse(stdout);
  return Array.isArray(parsed) ? parsed : [];
}
