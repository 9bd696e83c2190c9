import { createHmac, timingSafeEqual } from 'node:crypto';
import { TaplineError } from '@tapline/base';

/** What a link lets somebody fetch. */
export interface ProfileGrant {
  /** Of the object that the link is for; it dies with the object. */
  readonly uid: string;
  /** A newer one makes older links worthless. */
  readonly generation: number;
  /** Milliseconds since the Unix epoch. */
  readonly expiresMs: number;
}

export interface ProfileLinks {
  /** A token that nobody else can make; of the same grant it is the same. */
  mint(grant: ProfileGrant): string;
  /** The grant of a token that was minted here, expired or not; undefined for any other text. */
  read(token: string): ProfileGrant | undefined;
}

// 128 bits are out of reach for guesses over a network.
const macBytes = 16;

/** Links by tokens that need no table: they can be fetched again and again until they expire. */
export function createProfileLinks(key: Uint8Array): ProfileLinks {
  if (key.length < 32) {
    throw new TaplineError('link_key_invalid', `a key of ${key.length} bytes is below 32`);
  }

  function macOf(text: string): Buffer {
    return createHmac('sha256', key)
      .update(`tapline profile link\n${text}`)
      .digest()
      .subarray(0, macBytes);
  }

  return {
    mint({ uid, generation, expiresMs }) {
      const grant = `${uid}.${generation}.${Math.floor(expiresMs / 1000).toString(36)}`;
      return `${Buffer.from(grant).toString('base64url')}.${macOf(grant).toString('base64url')}`;
    },
    read(token) {
      const match = /^([A-Za-z0-9_-]{1,200})\.([A-Za-z0-9_-]{22})$/.exec(token);
      if (match === null) return undefined;
      const grant = Buffer.from(match[1] ?? '', 'base64url').toString();
      const mac = Buffer.from(match[2] ?? '', 'base64url');
      if (mac.length !== macBytes || !timingSafeEqual(mac, macOf(grant))) return undefined;
      const [uid = '', generation = '', seconds = ''] = grant.split('.');
      const expiresMs = Number.parseInt(seconds, 36) * 1000;
      return { uid, generation: Number(generation), expiresMs };
    },
  };
}
