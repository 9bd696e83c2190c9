import type { IncomingMessage } from 'node:http';

/**
 * Whether a browser sends this on behalf of a page from elsewhere. Browsers present a client
 * certificate to whoever asks for it, also for other sites' forms and WebSockets, so such a page
 * would act as its reader. RFC 6454 §7: browsers name the page's origin, and other programs send none.
 */
export function isForeignOrigin({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  const { origin, host } = headers;
  if (origin === undefined) return false;
  return !URL.canParse(origin) || new URL(origin).host !== host;
}
