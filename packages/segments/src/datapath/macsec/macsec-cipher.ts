/** The Cipher Suites of IEEE Std 802.1AE-2018, clause 14. */
export type MacsecCipher = 'gcm-aes-128' | 'gcm-aes-256' | 'gcm-aes-xpn-128' | 'gcm-aes-xpn-256';

export function macsecKeyBytes(cipher: MacsecCipher): 16 | 32 {
  return cipher.endsWith('128') ? 16 : 32;
}

/** Whether packet numbers have 64 bits, of which frames carry the lower 32. */
export function isExtended(cipher: MacsecCipher): boolean {
  return cipher.includes('xpn');
}
