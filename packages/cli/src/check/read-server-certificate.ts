import { once } from 'node:events';
import { isIP } from 'node:net';
import { connect } from 'node:tls';
import { TaplineError } from '@tapline/base';
import type { KubeconfigContext } from '@tapline/client';

/** The end of the certificate that the control plane shows, by the authority of the kubeconfig. */
export async function readServerCertificate(
  { baseUrl, ca }: Pick<KubeconfigContext, 'baseUrl' | 'ca'>,
  { signal }: { readonly signal: AbortSignal },
): Promise<string> {
  const { hostname, port } = new URL(baseUrl);
  const host = hostname.replaceAll(/^\[|\]$/g, '');
  const socket = connect({
    host,
    port: port === '' ? 443 : Number(port),
    ...(isIP(host) === 0 && { servername: host }),
    ...(ca !== undefined && { ca }),
  });
  try {
    await once(socket, 'secureConnect', { signal });
    return new Date(socket.getPeerCertificate().valid_to).toISOString();
  } catch (cause) {
    if (signal.aborted) throw new TaplineError('interrupted', 'stopped');
    throw new TaplineError('unreachable', `${baseUrl} shows no certificate that can be believed`, {
      cause,
    });
  } finally {
    socket.destroy();
  }
}
