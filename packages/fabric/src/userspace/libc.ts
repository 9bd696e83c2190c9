import { dlopen, getInt32 } from 'node:ffi';
import { TaplineError } from '@tapline/base';

/**
 * What the user-space data path asks of Linux's C library. Sizes and results are passed as 32 bits,
 * which all of ours fit into: 64 bits would cost a BigInt per call, on the way of every frame.
 */
export interface Libc {
  open(path: string, flags: number): number;
  close(fd: number): number;
  ioctl(fd: number, request: bigint, argument: Uint8Array): number;
  read(fd: number, bytes: Uint8Array, length: number): number;
  write(fd: number, bytes: bigint, length: number): number;
  poll(descriptors: Uint8Array, count: number, timeoutMs: number): number;
  eventfd(initial: number, flags: number): number;
  socket(domain: number, type: number, protocol: number): number;
  bind(fd: number, address: Uint8Array, length: number): number;
  setsockopt(fd: number, level: number, name: number, value: Uint8Array, length: number): number;
  recvmmsg(fd: number, messages: Uint8Array, count: number, flags: number, timeout: bigint): number;
  sendmmsg(fd: number, messages: Uint8Array, count: number, flags: number): number;
  errno(): number;
}

/** Constants of Linux on x86-64 and arm64, whose layouts agree (asm-generic). */
export const linux = {
  readWrite: 2,
  nonBlocking: 0o4000,
  closeOnExec: 0o2000000,
  pollIn: 1,
  pollBroken: 0x38,
  inet: 2,
  inet6: 10,
  packet: 17,
  datagram: 2,
  raw: 3,
  errno: { interrupted: 4, again: 11, noBuffers: 105 },
} as const;

/** Throws `ffi_unavailable` where Node has no foreign functions, or the machine another layout. */
export function openLibc(): Libc {
  if (process.platform !== 'linux' || !['x64', 'arm64'].includes(process.arch)) {
    throw new TaplineError(
      'ffi_unavailable',
      `the user-space data path runs on Linux on x64 and arm64, not ${process.platform} on ${process.arch}`,
    );
  }
  try {
    const { functions } = dlopen(null, {
      open: { arguments: ['string', 'i32'], return: 'i32' },
      close: { arguments: ['i32'], return: 'i32' },
      ioctl: { arguments: ['i32', 'u64', 'buffer'], return: 'i32' },
      read: { arguments: ['i32', 'buffer', 'u32'], return: 'i32' },
      write: { arguments: ['i32', 'pointer', 'u32'], return: 'i32' },
      poll: { arguments: ['buffer', 'u32', 'i32'], return: 'i32' },
      eventfd: { arguments: ['u32', 'i32'], return: 'i32' },
      socket: { arguments: ['i32', 'i32', 'i32'], return: 'i32' },
      bind: { arguments: ['i32', 'buffer', 'u32'], return: 'i32' },
      setsockopt: { arguments: ['i32', 'i32', 'i32', 'buffer', 'u32'], return: 'i32' },
      recvmmsg: { arguments: ['i32', 'buffer', 'u32', 'i32', 'pointer'], return: 'i32' },
      sendmmsg: { arguments: ['i32', 'buffer', 'u32', 'i32'], return: 'i32' },
      __errno_location: { arguments: [], return: 'pointer' },
    });
    const { __errno_location: errnoLocation, ...rest } = functions;
    return { ...rest, errno: () => getInt32(errnoLocation()) };
  } catch (error) {
    throw new TaplineError('ffi_unavailable', 'cannot call the C library from this Node', {
      cause: error,
      hint: 'run Node 26 with node:ffi, without --no-experimental-ffi',
    });
  }
}

/** The number of a failed call that the caller does not expect. */
export function systemCallError(libc: Libc, call: string): TaplineError {
  const number = libc.errno();
  return new TaplineError('system_call_failed', `${call} failed with errno ${number}`, {
    details: { call, errno: number },
  });
}
