import { isTaplineError } from '@tapline/base';
import type { ResourceClient } from '@tapline/client';
import { type Device, deviceResource } from '@tapline/resources';
import { closeError, CloseCode, type Session as Tunnel } from '@tapline/tunnel';
import { assertDeviceKey } from './assert-device-key.ts';
import type { DevicePeer } from './device-peer.ts';
import { deviceUnknown } from './enrolment.ts';
import { keyFingerprint } from './enrolment-proof.ts';
import type { TunnelPeer } from './tunnel/tunnel-socket.ts';

/** A device with one key, while it has tunnels. */
export interface Peer {
  readonly name: string;
  /** As it was when it connected last. */
  readonly device: Device;
  readonly shown: TunnelPeer;
}

/** Who the tunnels are of. */
export interface TunnelPeers {
  /**
   * The principal of who asks for a tunnel: a device with one key, which with another comes back to
   * nothing. Throws `device_unknown`, `device_key_replaced`, `device_revoked`.
   */
  authenticate(peer: DevicePeer): Promise<string>;
  /** Counts a tunnel until it is closed. Throws `unauthorized`, `too_many_sessions`. */
  add(tunnel: Tunnel, principal: string): Peer;
  /** Ends the tunnels of a device. */
  disconnect(device: string): void;
}

/** A device has one; more are connections that it has lost and does not know of yet. */
const maxTunnelsPerDevice = 8;

export function createTunnelPeers({
  client,
}: {
  readonly client: Pick<ResourceClient, 'get'>;
}): TunnelPeers {
  const peers = new Map<string, Peer & { readonly tunnels: Set<Tunnel> }>();

  async function knownDevice(name: string, publicKey: Uint8Array): Promise<Device> {
    let device: Device;
    try {
      device = await client.get(deviceResource, name);
    } catch (error) {
      throw isTaplineError(error, 'not_found') ? deviceUnknown(name) : error;
    }
    assertDeviceKey(device, publicKey);
    return device;
  }

  return {
    async authenticate({ device: name, publicKey, certificate }) {
      const device = await knownDevice(name, publicKey);
      const principal = `${name} ${keyFingerprint(publicKey)}`;
      const shown = { authorized: true, certificate };
      const known = peers.get(principal);
      if (known === undefined) peers.set(principal, { name, device, shown, tunnels: new Set() });
      else Object.assign(known, { device, shown });
      return principal;
    },
    add(tunnel, principal) {
      const peer = peers.get(principal);
      if (peer === undefined) throw closeError(CloseCode.Unauthorized, 'the device is not known');
      const { name, tunnels } = peer;
      if (tunnels.size >= maxTunnelsPerDevice) {
        throw closeError(
          CloseCode.TooManySessions,
          `${name} has ${tunnels.size} tunnels, the most is ${maxTunnelsPerDevice}`,
        );
      }
      tunnels.add(tunnel);
      const remove = (): void => {
        tunnels.delete(tunnel);
        if (tunnels.size === 0) peers.delete(principal);
      };
      tunnel.closed.addEventListener('abort', remove, { once: true });
      return peer;
    },
    disconnect(device) {
      for (const { name, tunnels } of peers.values()) {
        if (name !== device) continue;
        for (const tunnel of tunnels) {
          tunnel.close(CloseCode.Unauthorized, 'the device has another key, or is deleted');
        }
      }
    },
  };
}
