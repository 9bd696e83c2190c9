import type { KubeconfigContext } from '@tapline/client';
import { statusError } from '@tapline/client';
import type { openForward } from '@tapline/gateway';
import { requestOptions } from './request-path.ts';

type ForwardInit = Parameters<typeof openForward>[0];

/** Where a Device's ports are forwarded by the API, and who asks. */
export function forwardTarget(
  context: KubeconfigContext,
  device: string,
): Pick<ForwardInit, 'server' | 'tls' | 'headers' | 'errorOf' | 'path'> {
  const { headers } = requestOptions(context);
  const { ca, credentials } = context;
  return {
    server: new URL(context.baseUrl),
    path: `${device}/portforward`,
    headers: headers as Record<string, string>,
    tls: () => ({
      ...(ca === undefined ? {} : { ca }),
      ...(credentials.kind === 'certificate'
        ? { cert: credentials.certificate, key: credentials.key }
        : {}),
    }),
    errorOf(status, text) {
      let body: unknown;
      try {
        body = JSON.parse(text);
      } catch {
        // A proxy's page is no Status; its HTTP status says all there is.
        body = undefined;
      }
      return statusError(status, body);
    },
  };
}
