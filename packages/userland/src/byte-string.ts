/**
 * Linux's names and arguments are bytes, not text. Here they are strings with one character for each
 * byte, so that nothing is lost where they are not UTF-8.
 */
export function byteString(text: string): string {
  return byteStringOf(new TextEncoder().encode(text));
}

/** The characters that these bytes are. */
export function byteStringOf(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** The bytes that a byte string stands for. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}
