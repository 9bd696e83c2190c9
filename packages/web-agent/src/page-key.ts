import { base64url } from './base64url.ts';
import type { PageDatabase } from './page-database.ts';

/** The device's key. No script can read it, also none that got into the page. */
export interface PageKey {
  /** SubjectPublicKeyInfo in DER, base64url. */
  readonly publicKey: string;
  /** ECDSA P-256 with SHA-256 over the text, both halves after each other; base64url. */
  sign(text: string): Promise<string>;
}

const keyName = 'key';
const algorithm = { name: 'ECDSA', namedCurve: 'P-256' } as const;

/** The key that this page's origin has, made the first time and kept before anybody hears of it. */
export async function openPageKey(database: PageDatabase): Promise<PageKey> {
  const pair =
    ((await database.get('meta', keyName)) as CryptoKeyPair | undefined) ?? (await make(database));
  const spki = await crypto.subtle.exportKey('spki', pair.publicKey);
  return {
    publicKey: base64url(new Uint8Array(spki)),
    async sign(text) {
      const bytes = new TextEncoder().encode(text);
      const hashed = { name: 'ECDSA', hash: 'SHA-256' };
      const signature = await crypto.subtle.sign(hashed, pair.privateKey, bytes);
      return base64url(new Uint8Array(signature));
    },
  };
}

async function make(database: PageDatabase): Promise<CryptoKeyPair> {
  // Not extractable: the browser signs with it and never shows it. The public half always can be had.
  const pair = await crypto.subtle.generateKey(algorithm, false, ['sign', 'verify']);
  await database.put('meta', keyName, pair);
  return pair;
}
