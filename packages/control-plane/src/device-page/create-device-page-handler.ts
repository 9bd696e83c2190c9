import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Log } from '@tapline/base';
import { devicePagePath } from '@tapline/gateway';
import { createDevicePageFiles } from './device-page-files.ts';

/**
 * The page's policy: nothing from elsewhere, nothing to elsewhere, no frame around it, and no script that is
 * not one of its files. Programs are translated in it to WebAssembly; the terminal makes styles of its own.
 */
const securityHeaders = {
  'content-security-policy':
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; style-src 'self' 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
};

/**
 * Serves the page in which a browser becomes a device, where the control plane was told to. It is the same for
 * everybody, and says nothing of what is here: who opens it may do no more than who does not.
 */
export function createDevicePageHandler(init: {
  /** Where the page's files are; without it there is no page. */
  readonly folder: string | undefined;
  readonly log: Log;
}): (request: IncomingMessage, response: ServerResponse) => void {
  const { folder, log } = init;
  const find = folder === undefined ? undefined : createDevicePageFiles(folder);

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, headers, url = '' } = request;
    if (find === undefined) {
      return refuse(
        response,
        404,
        'the page for devices is off; `tapline up --device-page` serves it',
      );
    }
    if (method !== 'GET' && method !== 'HEAD') return refuse(response, 405, 'GET and HEAD only');
    const path = url.split('?', 1)[0] ?? '';
    if (`${path}/` === devicePagePath) {
      response.writeHead(308, { ...securityHeaders, location: devicePagePath }).end();
      return;
    }
    const file = await find(path.slice(devicePagePath.length));
    if (file === undefined) return refuse(response, 404, 'the page has no such file');
    const { type, etag, body, compressed } = file;
    const shared = {
      ...securityHeaders,
      etag,
      'cache-control': 'no-cache',
      vary: 'accept-encoding',
    };
    if (headers['if-none-match'] === etag) {
      response.writeHead(304, shared).end();
      return;
    }
    const zipped = /\bgzip\b/.test(headers['accept-encoding'] ?? '');
    const bytes = zipped ? compressed : body;
    response.writeHead(200, {
      ...shared,
      'content-type': type,
      'content-length': bytes.length,
      ...(zipped && { 'content-encoding': 'gzip' }),
    });
    response.end(method === 'HEAD' ? undefined : bytes);
  }

  return (request, response) => {
    answer(request, response).catch((error: unknown) => {
      log.warn('the page for devices cannot be read', { error });
      if (!response.headersSent) refuse(response, 500, 'the page cannot be read');
      else response.destroy();
    });
  };
}

function refuse(response: ServerResponse, status: number, why: string): void {
  const body = `${why}\n`;
  response.writeHead(status, {
    ...securityHeaders,
    'content-type': 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    ...(status === 405 && { allow: 'GET, HEAD' }),
  });
  response.end(body);
}
