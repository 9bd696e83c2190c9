import { chmodSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { isRecord, isTaplineError, systemClock, TaplineError } from '@tapline/base';
import type { Backend, HeldRoute } from './held-port.ts';
import { createPortHolder, type PortHolder } from './port-holder.ts';

const maxBodyBytes = 64 * 1024;

/**
 * A holder of ports as a process: it is told over a socket that only its user may open, and outlives
 * the agent that started it, whose next life tells it what comes.
 */
export async function serveHolder(socketPath: string): Promise<void> {
  const holder = createPortHolder({ clock: systemClock });
  const server = createServer((request, response) => {
    answer(holder, request).then(
      (value) => reply(response, 200, value),
      (error: unknown) => {
        const [code, message] = isTaplineError(error)
          ? [error.code, error.message]
          : ['holder_failed', String(error)];
        const hint = isTaplineError(error) ? error.hint : undefined;
        reply(response, 400, { code, message, hint });
      },
    );
  });
  rmSync(socketPath, { force: true });
  // Before anybody could open it.
  const mask = process.umask(0o177);
  server.listen(socketPath);
  await once(server, 'listening');
  process.umask(mask);
  chmodSync(socketPath, 0o600);
}

async function answer(holder: PortHolder, request: IncomingMessage): Promise<unknown> {
  const asked = `${request.method} ${request.url}`;
  if (asked === 'GET /v1/state') return holder.state();
  const body = await bodyOf(request);
  switch (asked) {
    case 'POST /v1/free-ports':
      return { ports: await holder.freePorts(Number(body['count'])) };
    case 'POST /v1/route':
      await holder.route(body as unknown as HeldRoute);
      return {};
    case 'POST /v1/probe':
      return await holder.probe(
        body as unknown as { backend: Backend; path?: string; connector: readonly string[] },
      );
    case 'POST /v1/close':
      holder.close();
      return {};
    default:
      throw new TaplineError('not_found', `a holder of ports has no ${asked}`);
  }
}

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) {
    text += String(chunk);
    if (text.length > maxBodyBytes) {
      throw new TaplineError('too_large', `a body of more than ${maxBodyBytes} bytes`);
    }
  }
  const value: unknown = JSON.parse(text);
  if (!isRecord(value)) throw new TaplineError('invalid', 'the body is no object');
  return value;
}

function reply(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
}
