import type { IncomingMessage } from 'node:http';

/** The media type of a request's body, without parameters; empty where it says none. */
export function mediaType(request: IncomingMessage): string {
  return (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}
