import { timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { errorMessage, TaplineError } from '@tapline/base';
import type { ShellSettings } from '@tapline/guest-page';
import type { ServedContent, ShellContent } from './shell-content.ts';

export interface ShellServerInit {
  readonly listen: { readonly host: string; readonly port: number };
  /** The first part of every path. Who does not know it is not answered. */
  readonly token: string;
  /** What `tools/build-page.ts` made. */
  readonly page: string;
  readonly settings: ShellSettings;
  readonly content: ShellContent;
  readonly onError: (message: string) => void;
}

export interface ShellServer extends AsyncDisposable {
  /** Of the page, with the token. */
  readonly url: string;
}

const pageFiles: Readonly<Record<string, string>> = {
  '': 'index.html',
  'shell.js': 'shell.js',
  'shell.css': 'shell.css',
  'xterm.css': 'xterm.css',
  'machine-worker.js': 'machine-worker.js',
};
const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
};
const headers = {
  // Nothing from elsewhere, and nothing to elsewhere; the terminal makes styles of its own.
  'content-security-policy':
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; style-src 'self' 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'same-origin',
};

/** Serves the page of a guest, and what it starts from, to who knows the token. */
export async function startShellServer(init: ShellServerInit): Promise<ShellServer> {
  const { listen, token } = init;
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      init.onError(errorMessage(error));
      if (!response.headersSent) response.writeHead(502, headers);
      response.end();
    });
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = pathOf(request);
    const found = path === undefined ? undefined : await find(path);
    if (found === undefined) {
      response.writeHead(404, headers).end();
      return;
    }
    const cache = found.immutable ? 'private, max-age=86400, immutable' : 'no-store';
    response.writeHead(200, { ...headers, 'content-type': found.type, 'cache-control': cache });
    if (request.method === 'HEAD') response.end();
    else if (found.body instanceof Uint8Array) response.end(found.body);
    else await pipeline(Readable.from(found.body), response);
  }

  /** What is behind the token; undefined for who does not know it, or comes by another name. */
  function pathOf({ method, url = '', headers: { host = '' } }: IncomingMessage) {
    if (method !== 'GET' && method !== 'HEAD') return undefined;
    // A page of elsewhere whose name leads to this machine is not the one that was opened.
    if (isLoopback(listen.host) && !isLoopback(host.replace(/:\d+$/, ''))) return undefined;
    const [, first = '', ...rest] = url.split('/');
    if (!isSame(first, token) || !url.startsWith(`/${first}/`)) return undefined;
    return rest.join('/');
  }

  async function find(path: string): Promise<ServedContent | undefined> {
    const name = pageFiles[path];
    if (name !== undefined) {
      const body = await readFile(join(init.page, name));
      return { type: types[extname(name)] ?? '', body, immutable: false };
    }
    if (path === 'run.json') {
      const body = new TextEncoder().encode(JSON.stringify(init.settings));
      return { type: 'application/json', body, immutable: false };
    }
    return await init.content.get(path);
  }

  server.listen(listen.port, listen.host);
  const failed = once(server, 'error').then(([cause]) => {
    throw new TaplineError(
      'listen_failed',
      `cannot listen on ${listen.host}:${listen.port}: ${errorMessage(cause)}`,
      { cause },
    );
  });
  await Promise.race([once(server, 'listening'), failed]);
  failed.catch(() => {});
  const { address, port } = server.address() as AddressInfo;
  return {
    url: `http://${address.includes(':') ? `[${address}]` : address}:${port}/${token}/`,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function isLoopback(host: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|\[?::1\]?)$/.test(host);
}

function isSame(given: string, token: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(token)];
  return a.length === b.length && timingSafeEqual(a, b);
}
