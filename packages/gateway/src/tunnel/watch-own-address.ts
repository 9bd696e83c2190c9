import type { Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { type Clock, TaplineError } from '@tapline/base';

const everyMs = 2000;

/** Every address that this machine has at this moment. */
export function ownAddresses(): ReadonlySet<string> {
  const all = Object.values(networkInterfaces()).flatMap((entries) => entries ?? []);
  return new Set(all.map(({ address }) => address));
}

/**
 * Ends a connection whose own address the machine has lost, as from Wi-Fi to mobile. TCP would go on sending
 * from it, and nobody would know before two and a half keepalives. Returns when the connection has ended.
 */
export async function watchOwnAddress(
  socket: Pick<Socket, 'destroy' | 'localAddress'>,
  init: {
    readonly addresses: () => ReadonlySet<string>;
    readonly clock: Clock;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { addresses, clock, signal } = init;
  // Of a link-local one without its interface, as the list has it.
  const own = socket.localAddress?.replace(/%.*$/, '');
  if (own === undefined) return;
  // A list that has not what the connection came from, as behind some proxies, says nothing.
  if (!addresses().has(own)) return;
  while (!signal.aborted) {
    try {
      await clock.sleep(everyMs, { signal });
    } catch {
      return;
    }
    if (addresses().has(own)) continue;
    socket.destroy(
      new TaplineError('gateway_unreachable', `this machine has the address ${own} no more`),
    );
    return;
  }
}
