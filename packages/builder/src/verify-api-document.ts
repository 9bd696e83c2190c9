import { constants, type KeyObject, verify } from 'node:crypto';
import { isRecord, TaplineError } from '@tapline/base';

/** The key's name, the same whoever signs (Homebrew/brew, `api.rb`). */
const keyId = 'homebrew-1';
const maxSignatures = 16;

export interface VerifyApiDocumentOptions {
  readonly key: KeyObject;
  /** Of errors. */
  readonly url: string;
}

/**
 * The payload of a document of Homebrew's API, as the text that was signed: a JWS in general JSON
 * form with PS512 over the payload as it is (RFC 7515 §7.2.1, RFC 7518 §3.5, RFC 7797). Throws
 * `homebrew_signature_invalid` for whatever the key did not sign.
 */
export function verifyApiDocument(text: string, options: VerifyApiDocumentOptions): string {
  const document = parse(text);
  if (!isRecord(document) || typeof document['payload'] !== 'string') {
    throw refused('missing', 'is not signed', options);
  }
  const { payload, signatures } = document;
  if (!Array.isArray(signatures) || signatures.length > maxSignatures) {
    throw refused('missing', 'is not signed', options);
  }
  const signed = signatures.map(readSignature).find((signature) => signature?.kid === keyId);
  if (signed === undefined) {
    throw refused('missing', `has no signature by the key ${keyId}`, options);
  }
  if (!isExpectedHeader(signed.header)) {
    throw refused('algorithm', 'is not signed with PS512 over the bare payload', options);
  }
  const matches = verify(
    'sha512',
    Buffer.from(`${signed.protected}.${payload}`),
    {
      key: options.key,
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
    },
    signed.signature,
  );
  if (!matches) throw refused('mismatch', 'has a signature of another key or content', options);
  return payload;
}

interface Signature {
  readonly kid: unknown;
  /** As signed: still encoded. */
  readonly protected: string;
  readonly header: unknown;
  readonly signature: Buffer;
}

function readSignature(value: unknown): Signature | undefined {
  if (!isRecord(value) || !isRecord(value['header'])) return undefined;
  const { protected: encoded, signature, header } = value;
  if (typeof encoded !== 'string' || typeof signature !== 'string') return undefined;
  return {
    kid: header['kid'],
    protected: encoded,
    header: parse(Buffer.from(encoded, 'base64url').toString('utf8')),
    signature: Buffer.from(signature, 'base64url'),
  };
}

/** What is not understood and marked critical has to be refused (RFC 7515 §4.1.11). */
function isExpectedHeader(header: unknown): boolean {
  if (!isRecord(header) || header['alg'] !== 'PS512' || header['b64'] !== false) return false;
  const critical = header['crit'] ?? [];
  return Array.isArray(critical) && critical.every((name) => name === 'b64');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refused(reason: string, why: string, { url }: VerifyApiDocumentOptions): TaplineError {
  return new TaplineError('homebrew_signature_invalid', `${url} ${why}`, {
    hint: "use a mirror that passes Homebrew's signature on, or name its own key with TAPLINE_HOMEBREW_KEY_FILE",
    details: { url, reason },
  });
}
