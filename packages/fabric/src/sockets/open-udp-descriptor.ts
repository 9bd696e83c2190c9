import { dlopen, getInt32 } from 'node:ffi';
import { isIP } from 'node:net';
import { TaplineError } from '@tapline/base';
import { type SocketSystem, socketAddress, socketSystems } from './socket-system.ts';

const datagram = 2;
const receiveBufferBytes = 4 * 1024 * 1024;

/**
 * A UDP socket that is bound to an address and, where one is named, to a device: Node binds sockets to
 * addresses only, and takes over descriptors. Throws `vxlan_port_taken`, `underlay_missing`, and
 * `ffi_unavailable` where the C library cannot be called.
 */
export function openUdpDescriptor(options: {
  readonly address: string;
  readonly port: number;
  readonly device?: string;
}): number {
  const { address, port, device } = options;
  const system = socketSystems[process.platform];
  if (system === undefined) {
    throw new TaplineError('ffi_unavailable', `sockets of ${process.platform} are not known`);
  }
  const libc = openLibrary(system);
  const six = isIP(address) === 6;
  const fd = libc.socket(six ? system.inet6 : 2, datagram, 0);
  if (fd < 0) throw failed('socket', libc.errno());
  const set = (
    { level, name }: { readonly level: number; readonly name: number },
    value: Uint8Array,
  ): number => libc.setsockopt(fd, level, name, value, value.length);
  try {
    set(system.receiveBuffer, number(receiveBufferBytes));
    const whole = six ? system.whole6 : system.whole;
    if (set(whole, number(whole.value ?? 1)) < 0) throw failed('setsockopt', libc.errno());
    if (device !== undefined) {
      const { bindTo } = system;
      const [option, value] =
        bindTo.by === 'name'
          ? ([bindTo, text(device)] as const)
          : ([six ? bindTo.ipv6 : bindTo.ipv4, number(libc.if_nametoindex(device))] as const);
      // Number 0 would take the socket off every device.
      const isThere = bindTo.by === 'name' || libc.if_nametoindex(device) > 0;
      if (!isThere || set(option, value) < 0) {
        throw new TaplineError(
          'underlay_missing',
          `the encrypted underlay ${device} is not there`,
          {
            cause: failed('setsockopt', libc.errno()),
            hint: 'start WireGuard on this node; the segment is never carried without it',
          },
        );
      }
    }
    const local = socketAddress(system, { address, port });
    if (libc.bind(fd, local, local.length) < 0) {
      throw new TaplineError('vxlan_port_taken', `cannot take UDP ${address} port ${port}`, {
        cause: failed('bind', libc.errno()),
        hint: 'see who has that port, and that the node has the address',
      });
    }
    return fd;
  } catch (error) {
    libc.close(fd);
    throw error;
  }
}

function openLibrary({ errnoLocation }: SocketSystem) {
  try {
    const { functions } = dlopen(null, {
      socket: { arguments: ['i32', 'i32', 'i32'], return: 'i32' },
      bind: { arguments: ['i32', 'buffer', 'u32'], return: 'i32' },
      setsockopt: { arguments: ['i32', 'i32', 'i32', 'buffer', 'u32'], return: 'i32' },
      close: { arguments: ['i32'], return: 'i32' },
      if_nametoindex: { arguments: ['string'], return: 'u32' },
      [errnoLocation]: { arguments: [], return: 'pointer' },
    } as const);
    const location: unknown = Reflect.get(functions, errnoLocation);
    const errno = (): number =>
      typeof location === 'function' ? getInt32((location as () => bigint)()) : 0;
    return { ...functions, errno };
  } catch (error) {
    throw new TaplineError('ffi_unavailable', 'cannot call the C library from this Node', {
      cause: error,
      hint: 'run Node 26 with node:ffi, without --no-experimental-ffi',
    });
  }
}

function number(value: number): Uint8Array {
  return new Uint8Array(new Uint32Array([value]).buffer);
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(`${value}\0`);
}

function failed(call: string, errno: number): TaplineError {
  return new TaplineError('system_call_failed', `${call} failed with errno ${errno}`, {
    details: { call, errno },
  });
}
