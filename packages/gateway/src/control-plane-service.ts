import { TaplineError } from '@tapline/base';

/** What a device reaches of its control plane within its tunnel, by name. */
export type ControlPlaneService = 'api' | 'registry' | 'metrics';

export const controlPlaneServices: readonly ControlPlaneService[] = ['api', 'registry', 'metrics'];

/** Whom a connection is of: the device by its certificate, or whoever its requests say. */
export type ConnectionOwner = 'device' | 'guest';

/** Names of streams that are connections to a service; their header is the service. */
export const httpStreams: Readonly<Record<ConnectionOwner, string>> = {
  device: 'http',
  guest: 'http-guest',
};

/** `registry.tapline`: what programs on a device call it. */
export function serviceHost(service: ControlPlaneService): string {
  return `${service}.tapline`;
}

/** Throws `stream_refused` for one that there is not. */
export function parseService(header: Uint8Array): ControlPlaneService {
  const text = new TextDecoder().decode(header.subarray(0, 64));
  const found = controlPlaneServices.find((service) => service === text);
  if (found !== undefined) return found;
  throw new TaplineError(
    'stream_refused',
    `${JSON.stringify(text)} is none of ${controlPlaneServices.join(', ')}`,
  );
}
