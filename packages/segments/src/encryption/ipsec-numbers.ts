import { mixText } from './mix-text.ts';

/**
 * Numbers that both ends of a pair of nodes derive from what both know, so that nobody has to hand
 * them out. The lower two bits of an SPI are the epoch's: a pair's keys of four epochs never collide.
 */
export function ipsecSpi(pair: {
  /** Public keys: a node that was made anew has other numbers than it had. */
  readonly from: string;
  readonly to: string;
  readonly epoch: number;
  readonly generation: number;
}): number {
  const { from, to, epoch, generation } = pair;
  const mixed = mixText(`${from}\0${to}\0${epoch >>> 2}\0${generation}`) & ~3;
  // RFC 4303 §2.1: 0 to 255 are reserved.
  return (((mixed | 0x1000) & ~3) | (epoch & 3)) >>> 0;
}

/** The upper byte of all our request ids: what has another one is somebody else's. */
const tag = 0x54;

/** What ties a policy to its associations. */
export function ipsecRequestId(peer: string): number {
  return tag * 2 ** 24 + (mixText(`request\0${peer}`) & 0xffffff);
}

export function isOurRequest(requestId: number | undefined): boolean {
  return requestId !== undefined && requestId >>> 24 === tag;
}
