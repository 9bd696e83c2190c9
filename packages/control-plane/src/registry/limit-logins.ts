import type { IncomingMessage, ServerResponse } from 'node:http';
import { basicPassword, type LoginLimiter } from '@tapline/registry';
import type { RegistryAccess } from './registry-access.ts';

type Handle = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * Slows the guessing of passwords down where a request itself carries one: an address whose logins
 * failed too often is answered 429 before the password is looked at, until its time is over.
 */
export function limitLogins(
  handle: Handle,
  init: {
    readonly access: Pick<RegistryAccess, 'identify'>;
    readonly limiter: LoginLimiter;
    readonly onLimited: () => void;
  },
): Handle {
  const { access, limiter, onLimited } = init;
  return (request, response) => {
    // Tokens of the registry are signed, and clients send them until they are told to get another.
    if (basicPassword(request) === undefined) return handle(request, response);
    const source = request.socket.remoteAddress ?? '';
    const waitMs = limiter.waitMs(source);
    if (waitMs > 0) {
      onLimited();
      refuse(response, { source, seconds: Math.ceil(waitMs / 1000) });
      return;
    }
    if (access.identify(request) === undefined) limiter.failed(source);
    handle(request, response);
  };
}

function refuse(
  response: ServerResponse,
  { source, seconds }: { readonly source: string; readonly seconds: number },
): void {
  const message = `too many logins of ${source} failed; try again in ${seconds} s`;
  const body = Buffer.from(JSON.stringify({ errors: [{ code: 'TOOMANYREQUESTS', message }] }));
  response.writeHead(429, {
    'content-type': 'application/json',
    'content-length': body.length,
    'retry-after': String(seconds),
    // What is left of a body would be read as the next request.
    connection: 'close',
  });
  response.end(body);
}
