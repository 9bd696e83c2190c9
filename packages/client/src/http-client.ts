import { type Clock, TaplineError } from '@tapline/base';
import type { ResourceClient } from './resource-client.ts';

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
  /** No answer to a plain request within this time is `unavailable`; 30 s where absent. */
  readonly timeoutMs?: number;
}

/** A client that keeps connections open until it is disposed. */
export interface HttpClient extends ResourceClient, AsyncDisposable {}

/** A client of any Kubernetes API over HTTP/1.1. */
export function createHttpClient(init: HttpClientInit): HttpClient {
  throw new TaplineError('unavailable', `no client for ${init.baseUrl} yet`);
}
