import { spawn } from 'node:child_process';
import { type Libc, linux, openLibc, systemCallError } from '../userspace/libc.ts';

const netlink = 16;
/** NETLINK_ROUTE with RTMGRP_LINK and RTMGRP_TC, NETLINK_NETFILTER with NFNLGRP_NFTABLES. */
const sources = [
  { protocol: 0, groups: 0x1 | 0x8 },
  { protocol: 12, groups: 1 << 6 },
] as const;
const lookEveryMs = 50;
const bufferBytes = 65_536;

/**
 * Says that something happened, not what: events are lost under load. The kernel's sockets are asked
 * themselves, as `nft monitor` first reads all elements of all sets, which are seconds of processor
 * time on a large node; where this Node cannot, the programs do it.
 */
export function watchKernel(onEvent: () => void): Disposable {
  let libc: Libc;
  try {
    libc = openLibc();
  } catch {
    return watchByPrograms(onEvent);
  }
  const opened = sources.map(({ protocol, groups }) => openSource(libc, protocol, groups));
  const buffer = Buffer.alloc(bufferBytes);
  const timer = setInterval(() => {
    const seen = opened.map((fd) => drain(libc, fd, buffer));
    if (seen.includes(true)) onEvent();
  }, lookEveryMs);
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
      for (const fd of opened) libc.close(fd);
    },
  };
}

function openSource(libc: Libc, protocol: number, groups: number): number {
  const fd = libc.socket(netlink, linux.raw | linux.nonBlocking | linux.closeOnExec, protocol);
  if (fd < 0) throw systemCallError(libc, 'socket');
  // struct sockaddr_nl: family, padding, port (the kernel chooses), groups.
  const address = new Uint8Array(12);
  const view = new DataView(address.buffer);
  view.setUint16(0, netlink, true);
  view.setUint32(8, groups, true);
  if (libc.bind(fd, address, address.length) < 0) throw systemCallError(libc, 'bind');
  return fd;
}

/** Takes all that is there. Also where some was lost, something has happened. */
function drain(libc: Libc, fd: number, buffer: Buffer): boolean {
  let seen = false;
  for (;;) {
    if (libc.read(fd, buffer, buffer.length) > 0) seen = true;
    else if (libc.errno() === linux.errno.noBuffers) seen = true;
    else return seen;
  }
}

function watchByPrograms(onEvent: () => void): Disposable {
  const programs = [
    ['ip', 'monitor', 'link'],
    ['nft', 'monitor'],
    ['tc', 'monitor'],
  ] as const;
  const children = programs.map(([program, ...args]) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    child.on('error', () => {});
    child.stdout.on('data', onEvent);
    return child;
  });
  return {
    [Symbol.dispose]() {
      for (const child of children) child.kill();
    },
  };
}
