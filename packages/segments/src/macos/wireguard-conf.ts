import type { WireguardState } from '../state/node-state.ts';

/** What stands for the private key until the configuration is written to `wg`. */
export const privateKeyPlace = '<private key>';

/** The configuration that `wg setconf` and `wg syncconf` take (wg(8)). */
export function wireguardConf({ listenPort, peers }: WireguardState): string {
  const parts = [
    ['[Interface]', `PrivateKey = ${privateKeyPlace}`, `ListenPort = ${listenPort}`],
    ...peers.map(({ publicKey, endpoint, allowedIps }) => [
      '[Peer]',
      `PublicKey = ${publicKey}`,
      ...(endpoint === undefined ? [] : [`Endpoint = ${endpoint}`]),
      `AllowedIPs = ${allowedIps.join(', ')}`,
      // Shakes hands at once, so that the first frames are not lost, and holds NATs open.
      'PersistentKeepalive = 25',
    ]),
  ];
  return `${parts.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}
