import { createHash } from 'node:crypto';

/** An answer, still without a socket: what endpoints return and the server writes. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: ReplyBody;
}

export type ReplyBody =
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  | { readonly kind: 'file'; readonly path: string; readonly sizeBytes: number };

export interface ApiRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Scheme and authority the client used. */
  readonly origin: string;
}

export function jsonReply(
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): Reply {
  return bytesReply(status, Buffer.from(JSON.stringify(value)), {
    'content-type': 'application/json',
    ...headers,
  });
}

export function bytesReply(
  status: number,
  bytes: Buffer,
  headers: Readonly<Record<string, string>>,
): Reply {
  return { status, headers, body: { kind: 'bytes', bytes } };
}

/** Adds an ETag, and answers 304 to a client that has the same document (RFC 9110 §13.1.2). */
export function conditional(
  reply: Reply & { body: { kind: 'bytes' } },
  request: ApiRequest,
): Reply {
  const digest = createHash('sha256').update(reply.body.bytes).digest('hex');
  const etag = `"${digest.slice(0, 32)}"`;
  const headers = { ...reply.headers, etag };
  const known = String(request.headers['if-none-match'] ?? '');
  const matches =
    known === '*' || known.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag);
  if (!matches) return { ...reply, headers };
  return bytesReply(304, Buffer.alloc(0), { etag });
}
