import type { ServerOptions } from 'node:http';

/**
 * For the server that the handlers are mounted on: whoever sends slowly, or nothing, or too many
 * headers, does not keep a connection. Bodies and watches have limits of their own.
 */
export const httpServerLimits: Required<
  Pick<
    ServerOptions,
    | 'headersTimeout'
    | 'requestTimeout'
    | 'keepAliveTimeout'
    | 'maxHeaderSize'
    | 'connectionsCheckingInterval'
    | 'noDelay'
  >
> = {
  headersTimeout: 10_000,
  // A body of 3 MiB at 1 Mbit/s takes 25 s.
  requestTimeout: 60_000,
  keepAliveTimeout: 120_000,
  maxHeaderSize: 32 * 1024,
  connectionsCheckingInterval: 5000,
  noDelay: true,
};
