import type { SignedChallenge } from '../device-challenges.ts';

/** Beside the tunnel's own subprotocol, for who cannot show a certificate in TLS; never chosen. */
const prefix = 'identity.';

/** A browser sends no headers of ours with a WebSocket, but subprotocols. */
export function encodeWebSocketIdentity(signed: SignedChallenge): string {
  return `${prefix}${signed.challenge}.${signed.signature}.${signed.certificate}`;
}

/** What `sec-websocket-protocol` shows, where it shows any. Whether it is right is not looked at. */
export function parseWebSocketIdentity(header: string | undefined): SignedChallenge | undefined {
  const offered = header?.split(',').map((name) => name.trim()) ?? [];
  const found = offered.find((name) => name.startsWith(prefix));
  if (found === undefined) return undefined;
  const [challenge = '', signature = '', certificate = ''] = found.slice(prefix.length).split('.');
  return { challenge, signature, certificate };
}
