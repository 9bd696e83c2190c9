import { TaplineError } from '@tapline/base';
import { wireguardName } from '../names/interface-names.ts';
import type { NodeState, WireguardState } from '../state/node-state.ts';
import type { MacState } from './mac-state.ts';
import { wireguardConf } from './wireguard-conf.ts';

/** A program and its arguments, without a shell; `conf` is for its standard input, without the key. */
export interface MacCommand {
  readonly words: readonly [string, ...string[]];
  readonly conf?: string;
}

/** The tunnel that carries segments: macOS takes no other names than utun and a number. */
export const macTunnel = 'utun74';

/**
 * What makes of a Mac what it is to have: WireGuard by wireguard-go (utun), and routes to the other
 * VTEPs. `desired` is a node's state as Linux has it, whose `tw0` is the tunnel here. Ports are sockets
 * of the data path, and no devices. Commands are those of wg-quick's script for macOS, ifconfig(8) and
 * route(8). Throws `interface_taken`.
 */
export function planMac(
  desired: Pick<NodeState, 'links' | 'addresses' | 'routes' | 'wireguard'>,
  observed: MacState,
): readonly MacCommand[] {
  const link = desired.links.find(({ name }) => name === wireguardName);
  const [device] = desired.wireguard;
  const found = observed.interfaces.find(({ name }) => name === macTunnel);
  const before = observed.wireguard.find(({ dev }) => dev === macTunnel);
  if (found !== undefined && before === undefined) {
    throw new TaplineError(
      'interface_taken',
      `${macTunnel} is there and is no WireGuard device: segments need it`,
      { hint: `end the program that has ${macTunnel}` },
    );
  }
  const routes = observed.routes.filter((entry) => entry.device === macTunnel);
  if (link === undefined || device === undefined) {
    // wireguard-go ends with its socket, and its device and routes with it.
    return before === undefined
      ? []
      : [{ words: ['rm', '-f', `/var/run/wireguard/${macTunnel}.sock`] }];
  }
  const wanted = (desired.routes ?? []).map(({ destination }) => destination);
  const own = desired.addresses.filter(({ dev }) => dev === wireguardName);
  const had = found?.addresses ?? [];
  const conf = wireguardConf(device);
  return [
    ...routes
      .filter(
        ({ destination }) =>
          !wanted.includes(destination) && !own.some(({ address }) => address === destination),
      )
      .map(({ destination }) => route('delete', destination)),
    ...(before === undefined ? [{ words: ['wireguard-go', macTunnel] } as const] : []),
    // The second leaves sessions with peers that stay alone.
    ...(before === undefined
      ? [{ words: ['wg', 'setconf', macTunnel, '/dev/stdin'], conf } as const]
      : settings(before) === settings(device)
        ? []
        : [{ words: ['wg', 'syncconf', macTunnel, '/dev/stdin'], conf } as const]),
    ...(found?.mtu === link.mtu ? [] : [ifconfig(macTunnel, 'mtu', String(link.mtu))]),
    ...had
      .filter(({ address }) => !isLinkLocal(address) && !own.some((one) => one.address === address))
      .map(({ address }) => ifconfig(macTunnel, familyOf(address), address, '-alias')),
    ...own
      .filter(({ address }) => !had.some((one) => one.address === address))
      .map(({ address, prefixLength }) =>
        familyOf(address) === 'inet'
          ? ifconfig(macTunnel, 'inet', `${address}/${prefixLength}`, address, 'alias')
          : ifconfig(macTunnel, 'inet6', `${address}/${prefixLength}`, 'alias'),
      ),
    ...(found?.up === true ? [] : [ifconfig(macTunnel, 'up')]),
    ...wanted
      .filter((destination) => !routes.some((one) => one.destination === destination))
      .map((destination) => route('add', destination)),
  ];
}

/** Where a peer is, it says itself once it was heard of: endpoints are no difference then. */
function settings({ publicKey, listenPort, peers }: WireguardState): string {
  const sorted = peers.map((peer) => JSON.stringify([peer.publicKey, peer.allowedIps.toSorted()]));
  return JSON.stringify([publicKey, listenPort, sorted.toSorted()]);
}

function isLinkLocal(address: string): boolean {
  return address.startsWith('fe80:');
}

function familyOf(address: string): 'inet' | 'inet6' {
  return address.includes(':') ? 'inet6' : 'inet';
}

function ifconfig(...words: readonly string[]): MacCommand {
  return { words: ['ifconfig', ...words] };
}

function route(verb: 'add' | 'delete', destination: string): MacCommand {
  const family = `-${familyOf(destination)}`;
  return { words: ['route', '-q', '-n', verb, family, destination, '-interface', macTunnel] };
}
