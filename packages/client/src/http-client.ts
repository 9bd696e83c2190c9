import type { Agent } from 'node:http';
import type { Clock } from '@tapline/base';
import { createExchangeClient, type ExchangeClient } from './exchange-client.ts';
import { HttpExchange } from './http-exchange.ts';

/** Who the client is: a certificate with its key (PEM), or a bearer token. */
export type Credentials =
  | { readonly kind: 'certificate'; readonly certificate: string; readonly key: string }
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'none' };

export interface HttpClientInit {
  /** `https://host:port`, with a path where the API is below one. */
  readonly baseUrl: string;
  /** Certificate authorities to trust, PEM; the platform's where absent. */
  readonly ca?: string;
  readonly credentials: Credentials;
  /** Sent as User-Agent, and the name that field ownership is recorded under. */
  readonly userAgent: string;
  readonly clock: Clock;
  /** Where connections to an `http:` address come from instead, as within a tunnel. */
  readonly agent?: Agent;
  /** No answer to a plain request within this time is `unavailable`; 30 s where absent. */
  readonly timeoutMs?: number;
}

/** A client that keeps connections open until it is disposed. */
export type HttpClient = ExchangeClient;

/** A client of any Kubernetes API over HTTP/1.1. */
export function createHttpClient(init: HttpClientInit): HttpClient {
  return createExchangeClient(new HttpExchange({ ...init, timeoutMs: init.timeoutMs ?? 30_000 }));
}
