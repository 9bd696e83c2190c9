import type { RouteObservation } from './path-observation.ts';

/** The device that `ip -j route get` names. */
export function parseRouteDevice(text: string): string | undefined {
  const device = first(text)?.['dev'];
  return typeof device === 'string' ? device : undefined;
}

/** What `ip -j -d link show` says of one device. */
export function parseLink(text: string): Pick<RouteObservation, 'kind' | 'mtu'> | undefined {
  const link = first(text);
  const mtu = link?.['mtu'];
  if (typeof mtu !== 'number') return undefined;
  const info = link?.['linkinfo'] as { readonly info_kind?: unknown } | undefined;
  const kind = typeof info?.info_kind === 'string' ? info.info_kind : undefined;
  return { kind, mtu };
}

function first(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const [entry] = JSON.parse(text) as readonly (Readonly<Record<string, unknown>> | null)[];
    return entry ?? undefined;
  } catch {
    // An older ip without JSON: then nothing is known.
    return undefined;
  }
}
