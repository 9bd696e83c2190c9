import { TaplineError } from '@tapline/base';

/** What a forward is for: all of its connections, and nothing else. */
export interface ForwardRequest {
  /** `connect`: the user reaches ports of the device; `listen`: the device's programs reach the user. */
  readonly direction: 'connect' | 'listen';
  /** Ports of the device. */
  readonly ports: readonly number[];
}

const maxPorts = 32;

/** `?connect=80&connect=443` or `?listen=9000`. Throws `bad_request`. */
export function parseForwardRequest(query: URLSearchParams): ForwardRequest {
  const connect = query.getAll('connect');
  const listen = query.getAll('listen');
  if ((connect.length === 0) === (listen.length === 0)) {
    throw new TaplineError('bad_request', 'a forward has either connect= or listen= with ports');
  }
  const texts = [...connect, ...listen];
  if (texts.length > maxPorts) {
    throw new TaplineError('bad_request', `${texts.length} ports are more than ${maxPorts}`);
  }
  const ports = texts.map((text) => {
    const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
    if (port >= 1 && port <= 65_535) return port;
    throw new TaplineError('bad_request', `${text.slice(0, 20)} is no port from 1 to 65535`);
  });
  return { direction: connect.length > 0 ? 'connect' : 'listen', ports };
}

export function forwardQuery({ direction, ports }: ForwardRequest): URLSearchParams {
  return new URLSearchParams(ports.map((port) => [direction, String(port)]));
}

/** As the audit log has it: `connect 80, 443`. */
export function formatForwardRequest({ direction, ports }: ForwardRequest): string {
  return `${direction} ${ports.join(', ')}`;
}
