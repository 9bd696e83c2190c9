import type { Clock } from '@tapline/base';
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { DeviceObservation, PathObservation } from './path-observation.ts';
import { type Probe, probeConnection } from './probe-connection.ts';
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
  const found = await firstOpen({ host, port, addresses: addressesOf(host, name) }, init);
  const route = found === undefined ? undefined : await readRoute(found.address, signal);
  return {
    host,
    port,
    name,
    connection: found?.probe.connection,
    clock: found?.probe.clock,
    bulk: found?.probe.bulk,
    route,
    device: init.device,
    nowMs: clock.now(),
  };
}

function addressesOf(host: string, name: PathObservation['name']): readonly string[] {
  switch (name.kind) {
    case 'address':
      return [host];
    case 'resolved':
      return name.addresses;
    case 'failed':
      return [];
  }
}

/** Of several addresses the first that answers; where none does, the first of all. */
async function firstOpen(
  {
    addresses,
    ...at
  }: { readonly host: string; readonly port: number; readonly addresses: readonly string[] },
  init: Parameters<typeof probeConnection>[1],
): Promise<{ readonly address: string; readonly probe: Probe } | undefined> {
  let first: { readonly address: string; readonly probe: Probe } | undefined;
  for (const address of addresses) {
    const probe = await probeConnection({ ...at, address }, init);
    first ??= { address, probe };
    if (probe.connection.kind === 'open') return { address, probe };
  }
  return first;
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
