import { collectBytes, errorMessage, isRecord, type Log, TaplineError } from '@tapline/base';
import type { SendHttp } from '@tapline/client';
import type { Digest } from '@tapline/oci';
import { imageKeysPath, type ImageSignature, signedDigest } from '@tapline/signatures';
import { derSignature } from './der-signature.ts';
import type { PageDatabase } from './page-database.ts';
import { pemBytes } from './pem-bytes.ts';

/** Whose signatures make an image one to start, as the control plane said last. */
export interface PageTrust {
  /** Throws `signing_keys_unknown`, `signature_missing`, `signature_invalid`. */
  verify(digest: Digest, signatures: readonly ImageSignature[]): Promise<void>;
  /** Asks for the keys again. One that fails is logged. */
  refresh(): Promise<void>;
}

const keysName = 'image-keys';
const maxKeys = 64;
const maxAnswerBytes = 65_536;
const algorithm = { name: 'ECDSA', namedCurve: 'P-256' } as const;

export async function openPageTrust(init: {
  readonly database: PageDatabase;
  readonly send: SendHttp;
  readonly log: Log;
}): Promise<PageTrust> {
  const { database, send, log } = init;
  let pems = ((await database.get('meta', keysName)) ?? []) as readonly string[];

  async function isTrusted(
    digest: Digest,
    { payload, signature }: ImageSignature,
  ): Promise<boolean> {
    const bytes = fromBase64(payload);
    if (signedDigest(bytes) !== digest) return false;
    const raw = derSignature(fromBase64(signature));
    if (raw === undefined) return false;
    for (const pem of pems) {
      const key = await crypto.subtle.importKey('spki', pemBytes(pem), algorithm, false, [
        'verify',
      ]);
      const hashed = { name: 'ECDSA', hash: 'SHA-256' };
      if (await crypto.subtle.verify(hashed, key, raw, bytes)) return true;
    }
    return false;
  }

  return {
    async verify(digest, signatures) {
      if (pems.length === 0) {
        throw new TaplineError(
          'signing_keys_unknown',
          `image ${digest} cannot be verified: no public key is known yet`,
        );
      }
      if (signatures.length === 0) {
        throw new TaplineError('signature_missing', `image ${digest} is not signed`);
      }
      for (const signature of signatures) if (await isTrusted(digest, signature)) return;
      throw new TaplineError(
        'signature_invalid',
        `none of ${signatures.length} signatures of image ${digest} was made by a trusted key`,
      );
    },
    async refresh() {
      try {
        const answer = await send({ method: 'GET', path: imageKeysPath, headers: {} });
        const bytes = await collectBytes(answer.body, {
          maxBytes: maxAnswerBytes,
          tooLarge: () => new TaplineError('image_keys_unavailable', 'the answer is too long'),
        });
        const keys = parseKeys(answer.status, bytes);
        if (keys.join() === pems.join()) return;
        await database.put('meta', keysName, keys);
        pems = keys;
        log.info('keys of images have changed', { keys: keys.length });
      } catch (error) {
        log.info('keys of images cannot be asked for', { error: errorMessage(error) });
      }
    },
  };
}

function parseKeys(status: number, bytes: Uint8Array): readonly string[] {
  const body: unknown = status === 200 ? JSON.parse(new TextDecoder().decode(bytes)) : undefined;
  const keys: unknown = isRecord(body) ? body['keys'] : undefined;
  if (
    Array.isArray(keys) &&
    keys.length <= maxKeys &&
    keys.every((key) => typeof key === 'string')
  ) {
    return keys;
  }
  throw new TaplineError('image_keys_unavailable', `the answer ${status} has no list of keys`);
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}
