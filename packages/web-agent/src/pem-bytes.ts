import { TaplineError } from '@tapline/base';

/** The bytes of the first block of a PEM text. Throws `pem_invalid`. */
export function pemBytes(text: string): Uint8Array<ArrayBuffer> {
  const [, body] = /-----BEGIN [A-Z ]+-----([^-]+)-----END /.exec(text) ?? [];
  if (body === undefined) throw new TaplineError('pem_invalid', 'the text has no block of PEM');
  return Uint8Array.from(atob(body.replace(/\s/g, '')), (letter) => letter.charCodeAt(0));
}
