import { getRawPointer } from 'node:ffi';
import { isIP } from 'node:net';
import { TaplineError } from '@tapline/base';
import { addressBytes } from '@tapline/segments';
import { type Libc, linux, systemCallError } from './libc.ts';
import type { PacketPool } from './packet-pool.ts';

export interface BatchSocketOptions {
  readonly address: string;
  readonly port: number;
  /** Packets go through this interface or nowhere. */
  readonly device?: string;
  /** Where packets that come in are put. */
  readonly pool: PacketPool;
  /** Of a packet that was too large for its way. */
  readonly onTooLarge: (pointer: bigint) => void;
}

/** Many packets to and from a UDP socket with one call of the system each way. */
export interface BatchSocket {
  readonly fd: number;
  /** Fills slots from the first on; how many came. */
  receive(): number;
  /** Bytes of the packet in a slot, 0 for one that did not fit. */
  lengthOf(slot: number): number;
  /** Where the packet in a slot came from, as `addressKey` writes it. */
  sourceOf(slot: number): number | string;
  /** An address to send to, for `queue`. */
  destination(address: string, port: number): Destination;
  /** The bytes have to stay until `flush`. */
  queue(pointer: bigint, length: number, destination: Destination): void;
  /** Sends what is queued; how many could not be sent. */
  flush(): number;
  close(): void;
}

export interface Destination {
  readonly bytes: Uint8Array;
  readonly pointer: bigint;
}

// struct mmsghdr, struct iovec and struct sockaddr_in6 on 64-bit Linux.
const messageBytes = 64;
const vectorBytes = 16;
const nameBytes = 32;
const doNotWait = 0x40;
const truncated = 0x20;
const messageSize = 90;

export function openBatchSocket(libc: Libc, options: BatchSocketOptions): BatchSocket {
  const { address, port, device, pool } = options;
  const six = isIP(address) === 6;
  const type = linux.datagram | linux.closeOnExec;
  const fd = libc.socket(six ? linux.inet6 : linux.inet, type, 0);
  if (fd < 0) throw systemCallError(libc, 'socket');
  try {
    configure(libc, { fd, six, device });
    const local = socketAddress(address, port);
    if (libc.bind(fd, local, local.length) < 0) {
      throw new TaplineError('vxlan_port_taken', `cannot take UDP ${address} port ${port}`, {
        cause: systemCallError(libc, 'bind'),
        hint: 'see who has that port, and that the node has the address',
      });
    }
  } catch (error) {
    libc.close(fd);
    throw error;
  }
  const incoming = messageTable(pool.slots);
  const outgoing = messageTable(pool.slots);
  const namePointer = getRawPointer(incoming.names);
  for (let slot = 0; slot < pool.slots; slot += 1) {
    incoming.pointers[slot * 8] = namePointer + BigInt(slot * nameBytes);
    incoming.vectors[slot * 2] = pool.packetPointers[slot] ?? 0n;
    incoming.vectors[slot * 2 + 1] = BigInt(pool.frameBytes);
  }
  let queued = 0;

  function flush(): number {
    let failed = 0;
    let from = 0;
    while (from < queued) {
      const rest = from === 0 ? outgoing.bytes : outgoing.bytes.subarray(from * messageBytes);
      const sent = libc.sendmmsg(fd, rest, queued - from, 0);
      if (sent > 0) {
        from += sent;
      } else {
        // The first one could not be sent: its peer is away, or too large. The others still can.
        failed += 1;
        if (libc.errno() === messageSize) options.onTooLarge(outgoing.vectors[from * 2] ?? 0n);
        from += 1;
      }
    }
    queued = 0;
    return failed;
  }

  return {
    fd,
    receive() {
      for (let slot = 0; slot < pool.slots; slot += 1) {
        incoming.words[slot * 16 + 2] = nameBytes;
      }
      return Math.max(0, libc.recvmmsg(fd, incoming.bytes, pool.slots, doNotWait, 0n));
    },
    lengthOf(slot) {
      const isWhole = ((incoming.words[slot * 16 + 12] ?? 0) & truncated) === 0;
      return isWhole ? (incoming.words[slot * 16 + 14] ?? 0) : 0;
    },
    sourceOf(slot) {
      return six
        ? addressKey(incoming.names.subarray(slot * nameBytes + 8, slot * nameBytes + 24))
        : addressKey4(incoming.names, slot * nameBytes + 4);
    },
    destination(to, toPort) {
      const bytes = socketAddress(to, toPort);
      return { bytes, pointer: getRawPointer(bytes) };
    },
    queue(pointer, length, destination) {
      if (queued === pool.slots) flush();
      outgoing.pointers[queued * 8] = destination.pointer;
      outgoing.words[queued * 16 + 2] = destination.bytes.length;
      outgoing.vectors[queued * 2] = pointer;
      outgoing.vectorWords[queued * 4 + 2] = length;
      queued += 1;
    },
    flush,
    close: () => void libc.close(fd),
  };
}

/** Comparable form of an address: a number for IPv4, a text for IPv6. */
export function addressKey(bytes: Uint8Array): number | string {
  return bytes.length === 4 ? addressKey4(bytes, 0) : bytes.join('.');
}

function addressKey4(bytes: Uint8Array, at: number): number {
  const [a = 0, b = 0] = [bytes[at], bytes[at + 1]];
  return ((a << 24) | (b << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)) >>> 0;
}

function messageTable(count: number) {
  const bytes = new Uint8Array(count * messageBytes);
  const vectorTable = new Uint8Array(count * vectorBytes);
  const names = new Uint8Array(count * nameBytes);
  const pointers = new BigUint64Array(bytes.buffer);
  const vectors = new BigUint64Array(vectorTable.buffer);
  const vectorPointer = getRawPointer(vectorTable);
  for (let index = 0; index < count; index += 1) {
    pointers[index * 8 + 2] = vectorPointer + BigInt(index * vectorBytes);
    pointers[index * 8 + 3] = 1n;
  }
  const words = new Uint32Array(bytes.buffer);
  return {
    bytes,
    names,
    pointers,
    words,
    vectors,
    vectorWords: new Uint32Array(vectorTable.buffer),
  };
}

const level = { ip: 0, socket: 1, ipv6: 41 } as const;
const option = {
  noCheck: 11,
  bindToDevice: 25,
  receiveBufferForce: 33,
  receiveBuffer: 8,
  // IP_MTU_DISCOVER and IPV6_MTU_DISCOVER of linux/in.h and linux/in6.h, and what they are set to.
  pathMtu: 10,
  pathMtu6: 23,
  dontFragment: 2,
} as const;
const receiveBufferBytes = 4 * 1024 * 1024;

function configure(
  libc: Libc,
  socket: { readonly fd: number; readonly six: boolean; readonly device: string | undefined },
): void {
  const { fd, six, device } = socket;
  const size = new Uint8Array(new Uint32Array([receiveBufferBytes]).buffer);
  // Beyond what the system allows everybody, where it may.
  const forced = libc.setsockopt(fd, level.socket, option.receiveBufferForce, size, 4);
  if (forced < 0) libc.setsockopt(fd, level.socket, option.receiveBuffer, size, 4);
  // RFC 7348 §5: no checksum outside over IPv4; what is inside has its own.
  const on = new Uint8Array(new Uint32Array([1]).buffer);
  if (!six) libc.setsockopt(fd, level.socket, option.noCheck, on, 4);
  // What a way does not take is an error that is counted, and nothing goes in fragments.
  const whole = new Uint8Array(new Uint32Array([option.dontFragment]).buffer);
  const discover = six ? option.pathMtu6 : option.pathMtu;
  libc.setsockopt(fd, six ? level.ipv6 : level.ip, discover, whole, 4);
  if (device === undefined) return;
  const name = new TextEncoder().encode(`${device}\0`);
  if (libc.setsockopt(fd, level.socket, option.bindToDevice, name, name.length) < 0) {
    throw new TaplineError('underlay_missing', `the encrypted underlay ${device} is not there`, {
      cause: systemCallError(libc, 'SO_BINDTODEVICE'),
      hint: 'start WireGuard on this node; the segment is never carried without it',
    });
  }
}

/** struct sockaddr_in or sockaddr_in6. */
function socketAddress(address: string, port: number): Uint8Array {
  const host = addressBytes(address);
  const six = host.length === 16;
  // With a buffer of its own: small arrays are moved by the garbage collector.
  const bytes = new Uint8Array(new ArrayBuffer(six ? 28 : 16));
  bytes[0] = six ? linux.inet6 : linux.inet;
  bytes[2] = port >>> 8;
  bytes[3] = port & 0xff;
  bytes.set(host, six ? 8 : 4);
  return bytes;
}
