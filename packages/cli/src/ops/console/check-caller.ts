import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { TaplineError } from '@tapline/base';
import { consoleSecretHeader } from '@tapline/ops-console';

interface Caller {
  readonly headers: IncomingHttpHeaders;
  /** Where this server listens, on loopback. */
  readonly port: number;
}

/**
 * Throws `forbidden` where a request comes by another name than the page is opened by: a page of elsewhere
 * whose name was made to lead to this machine (DNS rebinding) sends that name.
 */
export function checkHost({ headers: { host = '' }, port }: Caller): void {
  if (host === `127.0.0.1:${port}` || host === `localhost:${port}`) return;
  throw new TaplineError(
    'forbidden',
    `the console is at 127.0.0.1:${port}, and ${JSON.stringify(host.slice(0, 64))} was asked`,
  );
}

/**
 * Throws `forbidden` for who has not the secret, or is a page of elsewhere. Browsers name a page's origin with
 * each POST, and older ones leave out Sec-Fetch-Site: where either is there it has to be this page's.
 */
export function checkCaller(
  caller: Caller,
  { secret, method }: { readonly secret: string; readonly method: string },
): void {
  checkHost(caller);
  const { headers } = caller;
  const { origin, host = '' } = headers;
  const site = headers['sec-fetch-site'];
  const needsOrigin = method !== 'GET';
  if ((needsOrigin || origin !== undefined) && origin !== `http://${host}`) {
    throw new TaplineError('forbidden', 'only the page of this console may ask');
  }
  if (site !== undefined && site !== 'same-origin') {
    throw new TaplineError('forbidden', 'only the page of this console may ask');
  }
  const given = headers[consoleSecretHeader];
  if (typeof given === 'string' && isSame(given, secret)) return;
  throw new TaplineError(
    'console_secret_missing',
    'This page does not know the secret of the console: open the whole address that tapline ops console printed',
  );
}

/** In a time that says nothing of how much of it is right, nor how long it is. */
function isSame(given: string, secret: string): boolean {
  const [a, b] = [given, secret].map((text) => createHash('sha256').update(text).digest());
  return a !== undefined && b !== undefined && timingSafeEqual(a, b);
}
