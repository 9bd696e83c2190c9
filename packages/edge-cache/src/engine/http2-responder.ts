import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { HeaderField, HeaderFields } from '../rfc/header-fields.ts';
import type { BodyWriter, EdgeRequest, Handle, Responder } from './exchange.ts';

const pathForm = new RegExp(String.raw`^/[^\s#\\\x00-\x1f\x7f]*$`);

/** Takes up one stream of an HTTP/2 connection. */
export function handleHttp2Stream(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  { handle, hasBody }: { readonly handle: Handle; readonly hasBody: boolean },
): void {
  // A reset stream is a client that went away.
  stream.on('error', () => undefined);
  const fields: HeaderField[] = [];
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith(':') || value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) fields.push([name, one]);
  }
  const pseudo = (name: string): string => String(headers[name] ?? '');
  const length = headers['content-length'];
  const request: EdgeRequest = {
    method: pseudo(':method'),
    authority: (pseudo(':authority') || (headers.host ?? '')).toLowerCase(),
    target: pseudo(':path'),
    fields,
    body: hasBody ? stream : undefined,
    bodyLength: hasBody && length !== undefined ? Number(length) : undefined,
    secure: true,
  };
  const responder = new Http2Responder(stream);
  if (!pathForm.test(request.target)) {
    responder.respond(400, [['content-length', '0']]);
    return;
  }
  handle(request, responder);
}

class Http2Responder implements Responder {
  readonly takesPrepared = false;
  readonly #stream: ServerHttp2Stream;

  constructor(stream: ServerHttp2Stream) {
    this.#stream = stream;
  }

  get gone(): boolean {
    return this.#stream.destroyed || this.#stream.closed;
  }

  onGone(listener: () => void): void {
    if (this.gone) listener();
    else {
      this.#stream.once('close', () => {
        if (!this.#stream.writableFinished) listener();
      });
    }
  }

  respond(status: number, fields: HeaderFields, body?: Uint8Array): void {
    if (this.gone) return;
    const endStream = body === undefined || body.length === 0;
    this.#stream.respond(toHeaders(status, fields), { endStream });
    if (!endStream) this.#stream.end(body);
  }

  respondPrepared(): void {
    throw new Error('HTTP/2 has no form that is the same for all');
  }

  start(status: number, fields: HeaderFields, length: number | undefined): BodyWriter {
    const stream = this.#stream;
    if (!this.gone) {
      const known = length === undefined || fields.some(([name]) => name === 'content-length');
      stream.respond(
        toHeaders(status, known ? fields : [...fields, ['content-length', String(length)]]),
      );
    }
    return {
      write: (chunk) => {
        if (this.gone || stream.write(chunk)) return undefined;
        return new Promise((resolve) => {
          const go = (): void => {
            stream.off('drain', go);
            stream.off('close', go);
            resolve();
          };
          stream.once('drain', go);
          stream.once('close', go);
        });
      },
      lend: (chunk) =>
        new Promise((resolve) => {
          if (this.gone) resolve();
          else stream.write(chunk, () => resolve());
        }),
      end: () => void stream.end(),
      cut: () => stream.close(internalError),
    };
  }
}

/** RFC 9113 §7. */
const internalError = 2;

function toHeaders(
  status: number,
  fields: HeaderFields,
): Record<string, string | string[] | number> {
  const headers: Record<string, string | string[] | number> = { ':status': status };
  for (const [name, value] of fields) {
    const existing = headers[name];
    if (existing === undefined) headers[name] = value;
    else headers[name] = Array.isArray(existing) ? [...existing, value] : [String(existing), value];
  }
  // RFC 9113 §8.2.2: fields of a connection are not of HTTP/2.
  for (const name of [
    'connection',
    'transfer-encoding',
    'keep-alive',
    'upgrade',
    'proxy-connection',
  ])
    delete headers[name];
  return headers;
}
