const halfBytes = 32;

/**
 * Both halves of an ECDSA signature of P-256, as WebCrypto takes them, of what OpenSSL and cosign write:
 * SEQUENCE { INTEGER r, INTEGER s } in DER. Undefined where it is none.
 */
export function derSignature(der: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  if (der[0] !== 0x30 || der[1] !== der.length - 2) return undefined;
  const raw = new Uint8Array(2 * halfBytes);
  let at = 2;
  for (const end of [halfBytes, 2 * halfBytes]) {
    const length = der[at + 1] ?? 0;
    if (der[at] !== 0x02 || length === 0 || at + 2 + length > der.length) return undefined;
    let digits = der.subarray(at + 2, at + 2 + length);
    // A zero keeps a number with its highest bit set from being negative.
    while (digits.length > halfBytes && digits[0] === 0) digits = digits.subarray(1);
    if (digits.length > halfBytes) return undefined;
    raw.set(digits, end - digits.length);
    at += 2 + length;
  }
  return at === der.length ? raw : undefined;
}
