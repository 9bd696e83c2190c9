import type { Clock } from '@tapline/base';
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { DeviceObservation, PathObservation } from './path-observation.ts';
import { probeConnection } from './probe-connection.ts';
import { readRoute } from './read-route.ts';

/** Looks at the way to a control plane. Never throws for what is wrong with it. */
export async function observePath(
  server: URL,
  init: {
    /** The authority to check the server by. */
    readonly ca: string | undefined;
    readonly device: DeviceObservation | undefined;
    readonly clock: Clock;
    readonly signal: AbortSignal;
  },
): Promise<PathObservation> {
  const { clock, signal } = init;
  const host = server.hostname.replace(/^\[|\]$/g, '');
  const port = Number(server.port === '' ? 443 : server.port);
  const name = await resolve(host, clock);
  const address =
    name.kind === 'address' ? host : name.kind === 'resolved' ? name.addresses[0] : undefined;
  const [probe, route] =
    address === undefined
      ? [undefined, undefined]
      : await Promise.all([
          probeConnection({ host, address, port }, init),
          readRoute(address, signal),
        ]);
  return {
    host,
    port,
    name,
    connection: probe?.connection,
    clock: probe?.clock,
    bulk: probe?.bulk,
    route,
    device: init.device,
    nowMs: clock.now(),
  };
}

async function resolve(host: string, clock: Clock): Promise<PathObservation['name']> {
  if (isIP(host) !== 0) return { kind: 'address' };
  const fromMs = clock.monotonic();
  try {
    const found = await lookup(host, { all: true });
    const ms = clock.monotonic() - fromMs;
    return { kind: 'resolved', addresses: found.map(({ address }) => address), ms };
  } catch (error) {
    return { kind: 'failed', reason: codeOf(error) };
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
