import { byteStringOf, bytesOf } from '../byte-string.ts';
import { errno, LinuxError } from '../errno.ts';
import { viewOf } from '../memory/guest-memory.ts';

/** AF_UNIX, AF_INET, AF_INET6 */
export const family = { unix: 1, inet: 2, inet6: 10 } as const;

export type SocketAddress =
  /** A path, a name that begins with a zero byte, or nothing: a byte string. */
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'inet' | 'inet6'; readonly host: string; readonly port: number };

/** struct sockaddr_un, sockaddr_in, sockaddr_in6. */
export function readAddress(bytes: Uint8Array): SocketAddress {
  if (bytes.length < 2) throw new LinuxError(errno.invalid);
  const view = viewOf(bytes);
  switch (view.getUint16(0, true)) {
    case family.unix: {
      const name = bytes.subarray(2);
      const end = name[0] === 0 ? name.length : name.indexOf(0);
      return { kind: 'unix', path: byteStringOf(end < 0 ? name : name.subarray(0, end)) };
    }
    case family.inet:
      if (bytes.length < 16) throw new LinuxError(errno.invalid);
      return { kind: 'inet', host: [...bytes.subarray(4, 8)].join('.'), port: view.getUint16(2) };
    case family.inet6: {
      if (bytes.length < 24) throw new LinuxError(errno.invalid);
      const mapped = mappedAddress(bytes.subarray(8, 24));
      const port = view.getUint16(2);
      if (mapped !== undefined) return { kind: 'inet', host: mapped, port };
      const words = Array.from({ length: 8 }, (_, index) =>
        view.getUint16(8 + index * 2).toString(16),
      );
      return { kind: 'inet6', host: words.join(':'), port };
    }
    default:
      throw new LinuxError(errno.familyNotSupported);
  }
}

/** ::ffff:a.b.c.d is IPv4 by IPv6's sockets. */
function mappedAddress(bytes: Uint8Array): string | undefined {
  const prefix = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];
  if (!prefix.every((byte, at) => bytes[at] === byte)) return undefined;
  return [...bytes.subarray(12)].join('.');
}

/** As a socket of this family is told it. */
export function writeAddress(address: SocketAddress, asFamily: number): Uint8Array {
  if (address.kind === 'unix') {
    const name = bytesOf(address.path);
    const ends = name.length > 0 && name[0] !== 0 ? 1 : 0;
    const bytes = new Uint8Array(2 + name.length + ends);
    viewOf(bytes).setUint16(0, family.unix, true);
    bytes.set(name, 2);
    return bytes;
  }
  const bytes = new Uint8Array(asFamily === family.inet6 ? 28 : 16);
  const view = viewOf(bytes);
  view.setUint16(0, asFamily, true);
  view.setUint16(2, address.port);
  if (asFamily !== family.inet6) bytes.set(address.host.split('.').map(Number), 4);
  else if (address.kind === 'inet')
    bytes.set([0xff, 0xff, ...address.host.split('.').map(Number)], 18);
  else {
    for (const [index, word] of address.host.split(':').entries()) {
      view.setUint16(8 + index * 2, Number.parseInt(word, 16));
    }
  }
  return bytes;
}

/** Of the guests' own machine, or any of its addresses. */
export function isLocal(address: SocketAddress): boolean {
  if (address.kind === 'unix') return true;
  const { host } = address;
  if (address.kind === 'inet') return host.startsWith('127.') || host === '0.0.0.0';
  return host === '0:0:0:0:0:0:0:1' || host === '0:0:0:0:0:0:0:0';
}
