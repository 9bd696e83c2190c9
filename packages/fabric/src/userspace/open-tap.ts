import { TaplineError } from '@tapline/base';
import { type Libc, linux, systemCallError } from './libc.ts';

/** linux/if_tun.h: TUNSETIFF on x86-64 and arm64. */
const setInterface = 0x400454can;
/** IFF_TAP, IFF_NO_PI and IFF_TUN_EXCL: an interface that somebody else made is left alone. */
const flags = 0x0002 | 0x1000 | 0x8000;
/** sizeof(struct ifreq). */
const requestBytes = 40;
const longestName = 15;

/**
 * Makes a TAP interface and answers its descriptor, which reads and writes one frame a call and does
 * not wait. The interface is gone when the descriptor is closed, wherever it was moved to.
 */
export function openTap(libc: Libc, name: string): number {
  if (name.length === 0 || name.length > longestName || !/^[\w.-]+$/.test(name)) {
    throw new TaplineError('interface_name_invalid', `${name} is no name of an interface`);
  }
  const fd = libc.open('/dev/net/tun', linux.readWrite | linux.nonBlocking | linux.closeOnExec);
  if (fd < 0) {
    throw new TaplineError('tap_unavailable', 'cannot open /dev/net/tun', {
      cause: systemCallError(libc, 'open'),
      hint: 'load the module tun, and run with CAP_NET_ADMIN',
    });
  }
  const request = new Uint8Array(requestBytes);
  new TextEncoder().encodeInto(name, request);
  request[16] = flags & 0xff;
  request[17] = flags >>> 8;
  if (libc.ioctl(fd, setInterface, request) < 0) {
    const cause = systemCallError(libc, 'TUNSETIFF');
    libc.close(fd);
    throw new TaplineError('tap_unavailable', `cannot make the interface ${name}`, {
      cause,
      hint: 'run with CAP_NET_ADMIN, and remove an interface of that name',
    });
  }
  return fd;
}
