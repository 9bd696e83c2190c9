import { isIP } from 'node:net';
import { addressBytes } from '@tapline/segments';

/** Numbers of a system's sockets, which differ; no call here has a variable number of arguments. */
export interface SocketSystem {
  readonly inet6: number;
  /** BSD's addresses begin with their length. */
  readonly hasLength: boolean;
  readonly errnoLocation: '__errno_location' | '__error';
  readonly receiveBuffer: Option;
  /** Nothing goes in fragments. */
  readonly whole: Option;
  readonly whole6: Option;
  /** Packets go and come through this device or not at all: by name, or by its number. */
  readonly bindTo: (Option & { readonly by: 'name' }) | (Bound & { readonly by: 'index' });
}

interface Option {
  readonly level: number;
  readonly name: number;
  readonly value?: number;
}
interface Bound {
  readonly ipv4: Option;
  readonly ipv6: Option;
}

/** asm-generic/socket.h, linux/in.h and linux/in6.h: SO_BINDTODEVICE, IP_MTU_DISCOVER. */
const linux: SocketSystem = {
  inet6: 10,
  hasLength: false,
  errnoLocation: '__errno_location',
  receiveBuffer: { level: 1, name: 8 },
  whole: { level: 0, name: 10, value: 2 },
  whole6: { level: 41, name: 23, value: 2 },
  bindTo: { by: 'name', level: 1, name: 25 },
};

/** bsd/sys/socket.h, bsd/netinet/in.h and bsd/netinet6/in6.h: IP_BOUND_IF, IP_DONTFRAG. */
const darwin: SocketSystem = {
  inet6: 30,
  hasLength: true,
  errnoLocation: '__error',
  receiveBuffer: { level: 0xffff, name: 0x1002 },
  whole: { level: 0, name: 28, value: 1 },
  whole6: { level: 41, name: 62, value: 1 },
  bindTo: { by: 'index', ipv4: { level: 0, name: 25 }, ipv6: { level: 41, name: 125 } },
};

export const socketSystems: Readonly<Partial<Record<NodeJS.Platform, SocketSystem>>> = {
  linux,
  darwin,
};

/** struct sockaddr_in or sockaddr_in6. */
export function socketAddress(
  system: SocketSystem,
  { address, port }: { readonly address: string; readonly port: number },
): Uint8Array {
  const six = isIP(address) === 6;
  const bytes = new Uint8Array(six ? 28 : 16);
  const family = six ? system.inet6 : 2;
  if (system.hasLength) bytes[0] = bytes.length;
  bytes[system.hasLength ? 1 : 0] = family;
  bytes[2] = port >>> 8;
  bytes[3] = port & 0xff;
  bytes.set(addressBytes(address), six ? 8 : 4);
  return bytes;
}
