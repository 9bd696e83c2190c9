import type { WireguardState } from '../state/node-state.ts';
import { deviceName } from './device-name.ts';
import { assertLength, malformed } from './json-records.ts';

const source = 'wg show all dump';
type Peer = WireguardState['peers'][number];

/**
 * Reads `wg show all dump`: a line with 5 fields for each device, one with 9 for each peer. Private
 * and shared keys are left out here.
 */
export function parseWireguard(output: string): readonly WireguardState[] {
  assertLength(output, source);
  const devices = new Map<string, WireguardState & { readonly peers: Peer[] }>();
  for (const line of output.split('\n')) {
    if (line.trim() === '') continue;
    const fields = line.split('\t');
    const dev = deviceName(fields[0], source);
    if (fields.length === 5) {
      devices.set(dev, {
        dev,
        publicKey: fields[2] ?? '',
        listenPort: toNumber(fields[3], 'port'),
        peers: [],
      });
    } else if (fields.length === 9) {
      const device = devices.get(dev);
      if (device === undefined) throw malformed(source, `a peer of ${dev} comes before the device`);
      device.peers.push(readPeer(fields));
    } else {
      throw malformed(source, `a line has ${fields.length} fields, neither 5 nor 9`);
    }
  }
  return [...devices.values()];
}

function readPeer(fields: readonly string[]): Peer {
  const endpoint = fields[3] ?? '';
  const allowed = fields[4] ?? '';
  return {
    publicKey: fields[1] ?? '',
    ...(endpoint !== '(none)' && { endpoint }),
    allowedIps: allowed === '(none)' ? [] : allowed.split(','),
    latestHandshake: toNumber(fields[5], 'handshake'),
  };
}

function toNumber(field: string | undefined, what: string): number {
  if (field === undefined || !/^[0-9]{1,15}$/.test(field)) {
    throw malformed(source, `${what} is not a number`);
  }
  return Number(field);
}
