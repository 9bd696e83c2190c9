import { createCipheriv, createDecipheriv, type CipherGCMTypes } from 'node:crypto';
import type { AeadInput, FrameAead } from '@tapline/segments';

const tagBytes = 16;

/** AES-GCM of OpenSSL, as MACsec and the wrapping of keys need it. */
export function nodeFrameAead(key: Uint8Array): FrameAead {
  // A copy: whoever gave the key may wipe it.
  const ownKey = Uint8Array.from(key);
  const cipher: CipherGCMTypes = key.length === 16 ? 'aes-128-gcm' : 'aes-256-gcm';
  return {
    seal({ nonce, additional, text }: AeadInput, into: Uint8Array, at: number): void {
      const sealing = createCipheriv(cipher, ownKey, nonce);
      sealing.setAAD(additional);
      if (text.length > 0) into.set(sealing.update(text), at);
      sealing.final();
      into.set(sealing.getAuthTag(), at + text.length);
    },
    open({ nonce, additional, text }: AeadInput, into: Uint8Array, at: number): boolean {
      const dataBytes = text.length - tagBytes;
      if (dataBytes < 0) return false;
      const opening = createDecipheriv(cipher, ownKey, nonce, { authTagLength: tagBytes });
      opening.setAAD(additional);
      opening.setAuthTag(text.subarray(dataBytes));
      const data = dataBytes === 0 ? undefined : opening.update(text.subarray(0, dataBytes));
      try {
        opening.final();
      } catch {
        // OpenSSL's only way to say that the tag is another.
        return false;
      }
      if (data !== undefined) into.set(data, at);
      return true;
    },
  };
}
