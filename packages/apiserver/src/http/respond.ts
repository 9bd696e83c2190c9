import type { ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import { type Status, statusOf } from '../status.ts';

const gzipAsync = promisify(gzip);
const minGzipBytes = 128 * 1024;

/** Sends JSON text; large ones compressed where the client takes that. */
export async function sendJson(
  response: ServerResponse,
  code: number,
  text: string,
  options: { readonly warnings?: readonly string[]; readonly contentType?: string } = {},
): Promise<void> {
  if (response.destroyed) return;
  response.setHeader('Content-Type', options.contentType ?? 'application/json');
  // Kubernetes: answers depend on who asks and on nothing that a cache could know.
  response.setHeader('Cache-Control', 'no-cache, private');
  const { warnings = [] } = options;
  if (warnings.length > 0)
    response.setHeader(
      'Warning',
      warnings.map((one) => warningHeader(one)),
    );
  const accepts = response.req.headers['accept-encoding'];
  if (text.length >= minGzipBytes && accepts?.includes('gzip') === true) {
    const bytes = await gzipAsync(text, { level: constants.Z_BEST_SPEED });
    response.setHeader('Content-Encoding', 'gzip');
    response.writeHead(code).end(bytes);
    return;
  }
  response.writeHead(code).end(text);
}

/** Answers a failure as Kubernetes Status. */
export function sendError(response: ServerResponse, error: unknown): Status {
  const status = statusOf(error);
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return status;
  }
  if (status.code === 413) response.setHeader('Connection', 'close');
  if (status.details?.retryAfterSeconds !== undefined) {
    response.setHeader('Retry-After', String(status.details.retryAfterSeconds));
  }
  if (status.code === 401) response.setHeader('WWW-Authenticate', 'Bearer');
  response.setHeader('Content-Type', 'application/json');
  response.writeHead(status.code).end(JSON.stringify(status));
  return status;
}

/** RFC 7234 §5.5: 299 is a miscellaneous persistent warning. */
function warningHeader(text: string): string {
  const quoted = text.replaceAll(/[\\"]/g, String.raw`\$&`).replaceAll(/[^\x20-\x7e]/g, '?');
  return `299 - "${quoted}"`;
}
