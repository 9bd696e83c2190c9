import { TaplineError } from '@tapline/base';
import { wireguardName } from '../names/interface-names.ts';
import type { NodeState, PortEnd, WireguardState } from '../state/node-state.ts';
import type { MacInterface, MacState } from './mac-state.ts';
import { wireguardConf } from './wireguard-conf.ts';

/** A program and its arguments, without a shell; `conf` is for its standard input, without the key. */
export interface MacCommand {
  readonly words: readonly [string, ...string[]];
  readonly conf?: string;
}

/** The tunnel that carries segments: macOS takes no other names than utun and a number. */
export const macTunnel = 'utun74';
/** Pairs of fake Ethernets: even numbers are the ports, and the VTEP has the odd ones. */
const firstPair = 7000;
const lastPair = 7998;

/**
 * What makes of a Mac what it is to have: WireGuard by wireguard-go (utun), routes to the other VTEPs,
 * and a pair of fake Ethernets (feth) for each port. `desired` is a node's state as Linux has it, whose
 * `tw0` is the tunnel here. What goes, goes first; a port is up last. Commands are those of wg-quick's
 * script for macOS, ifconfig(8) and route(8). Throws `interface_taken`, `ports_exhausted`.
 */
export function planMac(
  desired: Pick<NodeState, 'links' | 'addresses' | 'routes' | 'wireguard'>,
  { ends, observed }: { readonly ends: readonly PortEnd[]; readonly observed: MacState },
): readonly MacCommand[] {
  const macs = new Set(ends.map(({ mac }) => mac));
  const pairs = observed.interfaces.filter(({ name }) => isPortOfPair(name));
  const gone = pairs.filter(({ mac }) => mac === undefined || !macs.has(mac));
  const kept = new Map(pairs.filter((one) => !gone.includes(one)).map((one) => [one.mac, one]));
  const free = freePairs(observed.interfaces);
  return [
    ...gone.flatMap(({ name, peer }) => [
      ifconfig(name, 'destroy'),
      ...(peer === undefined ? [] : [ifconfig(peer, 'destroy')]),
    ]),
    ...planTunnel(desired, observed),
    ...ends.flatMap((end) => planPort(end, kept.get(end.mac) ?? free)),
  ];
}

function planTunnel(
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

function planPort(end: PortEnd, found: MacInterface | Iterator<string>): readonly MacCommand[] {
  const isNew = !('name' in found);
  const port = isNew ? takeFree(found) : found.name;
  const vtep = otherOf(port);
  const had = isNew ? undefined : found;
  const addresses = end.addresses.map((address, at) => ({
    address,
    prefixLength: end.prefixLengths[at] ?? 0,
  }));
  return [
    ...(isNew
      ? [
          ifconfig(port, 'create'),
          ifconfig(vtep, 'create'),
          // The MAC first: the port must never be up with another one.
          ifconfig(port, 'lladdr', end.mac),
          ifconfig(port, 'peer', vtep),
        ]
      : []),
    ...(had?.mtu === end.mtu
      ? []
      : [ifconfig(vtep, 'mtu', String(end.mtu)), ifconfig(port, 'mtu', String(end.mtu))]),
    ...(had?.addresses ?? [])
      .filter(({ address }) => !isLinkLocal(address) && !end.addresses.includes(address))
      .map(({ address }) => ifconfig(port, familyOf(address), address, '-alias')),
    ...addresses
      .filter(({ address }) => had?.addresses.some((one) => one.address === address) !== true)
      .map(({ address, prefixLength }) =>
        ifconfig(port, familyOf(address), `${address}/${prefixLength}`, 'alias'),
      ),
    ...(had?.up === true ? [] : [ifconfig(vtep, 'up'), ifconfig(port, 'up')]),
  ];
}

/** Lowest first; two ports of one plan have not the same. */
function* freePairs(interfaces: readonly MacInterface[]): Iterator<string> {
  const names = new Set(interfaces.map(({ name }) => name));
  for (let number = firstPair; number <= lastPair; number += 2) {
    const name = `feth${number}`;
    if (!names.has(name) && !names.has(otherOf(name))) yield name;
  }
}

function takeFree(free: Iterator<string>): string {
  const { value, done } = free.next();
  if (done !== true) return value;
  throw new TaplineError(
    'ports_exhausted',
    `all ${(lastPair - firstPair) / 2 + 1} pairs feth${firstPair} to feth${lastPair + 1} are in use`,
  );
}

function isPortOfPair(name: string): boolean {
  const number = Number(/^feth([0-9]{4})$/.exec(name)?.[1] ?? 0);
  return number >= firstPair && number <= lastPair && number % 2 === 0;
}

function otherOf(name: string): string {
  return `feth${Number(name.slice(4)) + 1}`;
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
