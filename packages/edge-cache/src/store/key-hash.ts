import { hash } from 'node:crypto';

/** 64 bits that stand for a key in the index; the key itself is compared when the record is read. */
export interface KeyHash {
  readonly high: number;
  readonly low: number;
}

/** How many channels can be told apart in the index, at best. */
export const channelBuckets = 65_536;

/**
 * The upper 16 bits are the channel's: what a channel has is known without a word more for each object,
 * also after a restart. Two channels that meet there, one pair in 65,536, are counted as one.
 */
export function hashKey(key: string): KeyHash {
  const bytes = hash('sha256', key, 'buffer');
  const own = bytes.readUInt16LE(0);
  const space = key.indexOf(' ');
  const channel = channelBucket(space === -1 ? key : key.slice(0, space));
  return { high: ((channel << 16) | own) >>> 0, low: bytes.readUInt32LE(4) };
}

/** FNV-1a, folded to 16 bits: names are short, and nobody gains by making two meet. */
export function channelBucket(channel: string): number {
  let sum = 0x811c9dc5;
  for (let at = 0; at < channel.length; at += 1) {
    sum = Math.imul(sum ^ channel.charCodeAt(at), 0x01000193);
  }
  return ((sum >>> 16) ^ sum) & 0xffff;
}
