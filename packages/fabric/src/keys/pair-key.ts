import { hkdfSync } from 'node:crypto';
import type { NodeKey } from './node-key.ts';

export interface PairKeyOptions {
  /** What it is for; keys of different uses have nothing in common. */
  readonly use: 'esp' | 'wrap';
  readonly epoch: number;
  /** Of the sender's keys: it has another key after it lost one. */
  readonly generation: number;
  /** The second way between the same nodes. */
  readonly over?: 'link';
  /** Public keys of who sends and who receives: each direction has a key of its own. */
  readonly from: string;
  readonly to: string;
  readonly bytes: number;
}

const salt = Buffer.from('tapline segments 1');

/**
 * The key of two nodes for one direction and epoch (HKDF-SHA256, RFC 5869, over X25519). Both compute
 * it; whoever brings them together sees public keys and numbers only.
 */
export function pairKey(own: NodeKey, options: PairKeyOptions): Buffer {
  const { use, epoch, generation, over = 'underlay', from, to, bytes } = options;
  const other = own.publicKey === from ? to : from;
  const secret = own.agree(other);
  const info = [use, over, String(epoch), String(generation), from, to].join('\0');
  const key = Buffer.from(hkdfSync('sha256', secret, salt, info, bytes));
  secret.fill(0);
  return key;
}

/** AES-128 key and salt of `rfc4106(gcm(aes))`, as `ip xfrm` takes them. */
export const espKeyBytes = 20;
