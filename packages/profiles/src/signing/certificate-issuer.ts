import { TaplineError } from '@tapline/base';

interface Element {
  readonly tag: number;
  /** Where the whole element begins, its content, and where it ends. */
  readonly start: number;
  readonly content: number;
  readonly end: number;
}

/**
 * Issuer and serial number of a certificate, each as the element that is in it (RFC 5280 §4.1):
 * that is how a signed message names who signed it.
 */
export function certificateIssuer(certificate: Uint8Array): {
  readonly issuer: Uint8Array;
  readonly serial: Uint8Array;
} {
  const whole = elementAt(certificate, 0);
  const body = elementAt(certificate, whole.content);
  const first = elementAt(certificate, body.content);
  // The version is left out in version 1.
  const serial = first.tag === 0xa0 ? elementAt(certificate, first.end) : first;
  const algorithm = elementAt(certificate, serial.end);
  const issuer = elementAt(certificate, algorithm.end);
  if (serial.tag !== 0x02 || issuer.tag !== 0x30) throw malformed();
  return {
    issuer: certificate.subarray(issuer.start, issuer.end),
    serial: certificate.subarray(serial.start, serial.end),
  };
}

function elementAt(bytes: Uint8Array, start: number): Element {
  const tag = bytes[start];
  const first = bytes[start + 1];
  if (tag === undefined || first === undefined) throw malformed();
  let content = start + 2;
  let length = first;
  if (first >= 0x80) {
    const digits = first & 0x7f;
    if (digits === 0 || digits > 4) throw malformed();
    length = 0;
    for (const digit of bytes.subarray(content, content + digits)) length = length * 256 + digit;
    content += digits;
  }
  const end = content + length;
  if (end > bytes.length) throw malformed();
  return { tag, start, content, end };
}

function malformed(): TaplineError {
  return new TaplineError('certificate_malformed', 'the certificate is no X.509 in DER');
}
