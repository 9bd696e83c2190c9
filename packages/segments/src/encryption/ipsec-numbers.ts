/**
 * Numbers that both ends of a pair of nodes derive from public names, so that nobody has to hand them
 * out. The lower two bits of an SPI are the epoch's: a pair's keys of four epochs never collide.
 */
export function ipsecSpi(pair: {
  readonly from: string;
  readonly to: string;
  readonly epoch: number;
}): number {
  const { from, to, epoch } = pair;
  const mixed = mix(`${from}\0${to}\0${epoch >>> 2}`) & ~3;
  // RFC 4303 §2.1: 0 to 255 are reserved.
  return (((mixed | 0x1000) & ~3) | (epoch & 3)) >>> 0;
}

/** What ties a policy to its associations; below 2³¹, and not 0. */
export function ipsecRequestId(peer: string): number {
  return (mix(`request\0${peer}`) >>> 1) | 1;
}

/** FNV-1a with a final mixing; nothing secret depends on it. */
function mix(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
