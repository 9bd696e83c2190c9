import { randomBytes } from 'node:crypto';
import { TaplineError } from '@tapline/base';
import { nodeFrameAead } from '../crypto/node-frame-aead.ts';
import type { NodeKey } from './node-key.ts';
import { pairKey } from './pair-key.ts';

/** A sender's MACsec key for one receiver: all of it may be seen by who carries it. */
export interface WrappedKey {
  /** Public keys. */
  readonly from: string;
  readonly to: string;
  readonly epoch: number;
  readonly generation: number;
  /** Nonce and sealed key, base64url. */
  readonly sealed: string;
}

const nonceBytes = 12;
const tagBytes = 16;
const keyBytes = 32;

/** Wraps the key of `own` for the owner of the public key `to` (AES-256-GCM under the pair's key). */
export function wrapKey(
  own: NodeKey,
  content: Pick<WrappedKey, 'to' | 'epoch' | 'generation'> & { readonly key: Uint8Array },
): WrappedKey {
  const { to, epoch, generation, key } = content;
  const from = own.publicKey;
  const sealed = Buffer.alloc(nonceBytes + key.length + tagBytes);
  const nonce = randomBytes(nonceBytes);
  nonce.copy(sealed);
  const about = { from, to, epoch, generation };
  const aead = nodeFrameAead(pairKey(own, { use: 'wrap', ...about, bytes: keyBytes }));
  aead.seal({ nonce, additional: binding(about), text: key }, sealed, nonceBytes);
  return { ...about, sealed: sealed.toString('base64url') };
}

/** Throws `wrapped_key_invalid` for what is not from its sender, for us and of its epoch. */
export function unwrapKey(own: NodeKey, wrapped: WrappedKey): Buffer {
  const { from, to, epoch, generation } = wrapped;
  const sealed = Buffer.from(wrapped.sealed, 'base64url');
  const key = Buffer.alloc(keyBytes);
  const fits = sealed.length === nonceBytes + keyBytes + tagBytes && to === own.publicKey;
  const opened =
    fits &&
    nodeFrameAead(pairKey(own, { use: 'wrap', epoch, generation, from, to, bytes: keyBytes })).open(
      {
        nonce: sealed.subarray(0, nonceBytes),
        additional: binding(wrapped),
        text: sealed.subarray(nonceBytes),
      },
      key,
      0,
    );
  if (!opened) {
    throw new TaplineError(
      'wrapped_key_invalid',
      `the key of epoch ${epoch} from ${from} was not wrapped by it for this node`,
    );
  }
  return key;
}

function binding({ from, to, epoch, generation }: Omit<WrappedKey, 'sealed'>): Buffer {
  return Buffer.from(['macsec', from, to, String(epoch), String(generation)].join('\0'));
}
