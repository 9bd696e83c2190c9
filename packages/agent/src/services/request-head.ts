/** What of a request's head decides where it goes. */
export interface RequestHead {
  /** Without its port, in lower case. */
  readonly host: string;
  readonly hasCredentials: boolean;
}

const maxHeadBytes = 16_384;

/**
 * Reads the head of HTTP/1.1's first request: undefined while it is not there as a whole, `malformed`
 * where it never will be.
 */
export function parseRequestHead(bytes: Uint8Array): RequestHead | 'malformed' | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  const end = text.indexOf('\r\n\r\n');
  if (end === -1 || end > maxHeadBytes) return text.length > maxHeadBytes ? 'malformed' : undefined;
  const [first = '', ...lines] = text.slice(0, end).split('\r\n');
  if (!/^[A-Z]+ \/\S* HTTP\/1\.1$/.test(first)) return 'malformed';
  const hosts = lines.filter((line) => /^host:/i.test(line));
  const [, host] = /^host:[ \t]*([^\s:]+)(?::\d+)?[ \t]*$/i.exec(hosts[0] ?? '') ?? [];
  // RFC 9112 §3.2: exactly one, or two readers could each follow another one.
  if (host === undefined || hosts.length !== 1) return 'malformed';
  return {
    host: host.toLowerCase(),
    hasCredentials: lines.some((line) => /^authorization:/i.test(line)),
  };
}
