import type { ImageSigner } from './image-signer.ts';
import { signatureMediaTypes } from './signature-media-types.ts';

/** A DSSE envelope (secure-systems-lab/dsse, protocol.md and envelope.md) around a statement. */
export function signStatement(statement: Uint8Array, signer: ImageSigner): Uint8Array {
  const payloadType = signatureMediaTypes.statement;
  const sig = signer.sign(preAuthenticationEncoding(payloadType, statement));
  return Buffer.from(
    JSON.stringify({
      payloadType,
      payload: Buffer.from(statement).toString('base64'),
      signatures: [{ keyid: signer.keyId, sig: Buffer.from(sig).toString('base64') }],
    }),
  );
}

/** What is signed: type and body with their lengths, so that neither can be taken for the other. */
export function preAuthenticationEncoding(type: string, body: Uint8Array): Uint8Array {
  return Buffer.concat([
    Buffer.from(`DSSEv1 ${Buffer.byteLength(type)} ${type} ${body.length} `),
    body,
  ]);
}
