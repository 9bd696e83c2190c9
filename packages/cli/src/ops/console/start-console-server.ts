import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import {
  type Clock,
  collectBytes,
  errorMessage,
  isTaplineError,
  TaplineError,
} from '@tapline/base';
import { opsPolicyResource } from '@tapline/resources';
import type { Connection } from '../../connection/connect.ts';
import { sendApproval } from '../send-approval.ts';
import { checkCaller, checkHost } from './check-caller.ts';
import { consoleRoute, type ConsoleOrder, parseConsoleBody } from './console-request.ts';
import { watchOps } from './watch-ops.ts';

export interface ConsoleServerInit {
  /** On 127.0.0.1; 0 takes a free one. */
  readonly port: number;
  readonly secret: string;
  /** What `tools/build-page.ts` made. */
  readonly page: string;
  /** Of who uses the page: all is done in their name. */
  readonly connection: Connection;
  readonly clock: Clock;
  readonly onError: (message: string) => void;
}

export interface ConsoleServer extends AsyncDisposable {
  /** Of the page, with the secret after `#`: browsers keep that to themselves. */
  readonly url: string;
}

const host = '127.0.0.1';
const maxBodyBytes = 8192;
const maxStreams = 16;
const maxWaitingBytes = 64 * 1024 * 1024;
const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
};
const securityHeaders = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'cache-control': 'no-store',
};
const statuses: Readonly<Record<string, number>> = {
  bad_request: 400,
  console_secret_missing: 401,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  conflict: 409,
  too_large: 413,
  too_many_requests: 429,
  unreachable: 502,
  unavailable: 502,
};

/**
 * Serves the page, and what it needs and nothing else of the API: no path, no method and no header of the page's
 * gets to the control plane.
 */
export async function startConsoleServer(init: ConsoleServerInit): Promise<ConsoleServer> {
  const { secret, connection, clock } = init;
  const closing = new AbortController();
  let streams = 0;
  let port = init.port;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { headers, method = '' } = request;
    const caller = { headers, port };
    checkHost(caller);
    const route = consoleRoute(request);
    if (route.kind === 'file') {
      const body = await readFile(join(init.page, route.file));
      const type = types[extname(route.file)] ?? '';
      response.writeHead(200, { ...securityHeaders, 'content-type': type }).end(body);
      return;
    }
    checkCaller(caller, { secret, method });
    if (route.kind === 'watch') return await stream(response);
    await decide(parseConsoleBody(route.path, await textOf(request)));
    send(response, 200, {});
  }

  async function decide(asked: ConsoleOrder): Promise<void> {
    const { signal } = closing;
    if (asked.kind === 'approval') {
      const { name, digest, decision, reason } = asked.body;
      await sendApproval(connection, { name, digest, decision, reason, signal });
      return;
    }
    const { paused, reason } = asked.body;
    const body = {
      spec: paused
        ? { paused, reason: reason ?? null, pausedUntil: null }
        : { paused: null, reason: null, pausedUntil: null },
    };
    await connection.client.patch(
      opsPolicyResource,
      'default',
      { kind: 'merge', body },
      { signal },
    );
  }

  async function stream(response: ServerResponse): Promise<void> {
    if (streams >= maxStreams) {
      throw new TaplineError('too_many_requests', `${maxStreams} pages of the console are open`);
    }
    streams += 1;
    const left = new AbortController();
    response.once('close', () => left.abort());
    response.writeHead(200, { ...securityHeaders, 'content-type': 'application/x-ndjson' });
    response.flushHeaders();
    try {
      await watchOps(connection, {
        clock,
        signal: AbortSignal.any([left.signal, closing.signal]),
        tell(message) {
          response.write(`${JSON.stringify(message)}\n`);
          // One that reads nothing is let go; it asks again for all there is.
          if (response.writableLength > maxWaitingBytes) response.destroy();
        },
      });
    } finally {
      streams -= 1;
      response.end();
    }
  }

  const server = createServer({ requestTimeout: 30_000 }, (request, response) => {
    answer(request, response).catch((error: unknown) => {
      if (response.headersSent) return void response.destroy();
      const code = isTaplineError(error) ? error.code : 'internal';
      const status = statuses[code] ?? 500;
      if (status === 500) init.onError(errorMessage(error));
      send(response, status, { code, message: errorMessage(error) });
    });
  });
  const failed = once(server, 'error').then(([cause]) => {
    throw new TaplineError(
      'listen_failed',
      `cannot listen on ${host}:${port}: ${errorMessage(cause)}`,
      {
        cause,
        hint: 'leave out --port to take a free one',
      },
    );
  });
  server.listen(port, host);
  await Promise.race([once(server, 'listening'), failed]);
  failed.catch(() => {});
  ({ port } = server.address() as AddressInfo);

  return {
    url: `http://${host}:${port}/#${secret}`,
    async [Symbol.asyncDispose]() {
      closing.abort();
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function send(response: ServerResponse, status: number, value: object): void {
  const body = Buffer.from(JSON.stringify(value));
  response.writeHead(status, {
    ...securityHeaders,
    'content-type': 'application/json',
    'content-length': body.length,
  });
  response.end(body);
}

async function textOf(request: IncomingMessage): Promise<string> {
  const bytes = await collectBytes(request as AsyncIterable<Buffer>, {
    maxBytes: maxBodyBytes,
    tooLarge: () =>
      new TaplineError('too_large', `the page has sent more than ${maxBodyBytes} bytes`),
  });
  return new TextDecoder().decode(bytes);
}
