import { type Clock, TaplineError } from '@tapline/base';
import { readBody } from '../storage/read-body.ts';
import type { HttpTransport } from './http-transport.ts';
import type { Challenge } from './parse-challenges.ts';
import type { RegistryCredentials, RegistryCredentialsSource } from './registry-credentials.ts';

export interface RegistryAuthorizerInit {
  readonly baseUrl: URL;
  readonly transport: HttpTransport;
  readonly credentials: RegistryCredentialsSource | undefined;
  readonly clock: Clock;
}

interface CachedToken {
  readonly token: string;
  readonly untilMs: number;
}

/** What a registry asked for, once it has asked. */
type Scheme =
  | { readonly kind: 'basic' }
  | { readonly kind: 'bearer'; readonly realm: URL; readonly service: string | undefined };

const maxTokenBytes = 1024 * 1024;
const maxTokens = 1000;
// What a server does not say, by the specification of token authentication.
const defaultLifetimeSeconds = 60;
const earlierMs = 5000;

/**
 * Logs in to one registry the way it asks for: basic, or tokens with scopes from where it says, also
 * without an account. Tokens are kept until shortly before their end.
 */
export class RegistryAuthorizer {
  readonly #init: RegistryAuthorizerInit;
  readonly #tokens = new Map<string, CachedToken>();
  #scheme: Scheme | undefined;

  constructor(init: RegistryAuthorizerInit) {
    this.#init = init;
  }

  /** The `Authorization` header for a request that needs `scopes`; none before the first challenge. */
  async header(
    scopes: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<string | undefined> {
    const scheme = this.#scheme;
    if (scheme === undefined) return undefined;
    if (scheme.kind === 'basic') return basic(await this.#init.credentials?.());
    return `Bearer ${(await this.#token(scheme, scopes, signal)).token}`;
  }

  /**
   * Takes note of the challenges of a 401 answer; says whether another try may fare better. A token
   * that was refused is forgotten.
   */
  async learn(
    challenges: readonly Challenge[],
    sent: { readonly scopes: readonly string[]; readonly authorization: string | undefined },
  ): Promise<boolean> {
    const bearer = challenges.find(({ scheme }) => scheme === 'bearer');
    const refused = sent.authorization !== undefined;
    if (bearer?.parameters['realm'] !== undefined) {
      const realm = this.#realm(bearer.parameters['realm']);
      const key = sent.scopes.join(' ');
      const wasCached = this.#tokens.delete(key);
      this.#scheme = { kind: 'bearer', realm, service: bearer.parameters['service'] };
      return !refused || wasCached;
    }
    if (!challenges.some(({ scheme }) => scheme === 'basic')) return false;
    this.#scheme = { kind: 'basic' };
    return !refused && basic(await this.#init.credentials?.()) !== undefined;
  }

  #realm(text: string): URL {
    const { baseUrl } = this.#init;
    const realm = URL.canParse(text, baseUrl) ? new URL(text, baseUrl) : undefined;
    // Otherwise a registry over TLS could have the password sent in the clear.
    const secure =
      realm?.protocol === 'https:' || (realm?.protocol === 'http:' && baseUrl.protocol === 'http:');
    if (realm !== undefined && secure && realm.username === '') return realm;
    throw new TaplineError(
      'registry_unauthorized',
      `registry ${baseUrl.host} has tokens at ${JSON.stringify(text.slice(0, 200))}, which is no URL as safe as its own`,
    );
  }

  async #token(
    scheme: Extract<Scheme, { kind: 'bearer' }>,
    scopes: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<CachedToken> {
    const credentials = await this.#init.credentials?.();
    if (credentials?.kind === 'bearer') return { token: credentials.token, untilMs: 0 };
    const key = scopes.join(' ');
    const known = this.#tokens.get(key);
    if (known !== undefined && known.untilMs > this.#init.clock.monotonic()) return known;
    const token = await this.#ask(scheme, scopes, { credentials, signal });
    // Bounded, and refilled by asking again.
    if (this.#tokens.size >= maxTokens) this.#tokens.clear();
    this.#tokens.set(key, token);
    return token;
  }

  async #ask(
    { realm, service }: Extract<Scheme, { kind: 'bearer' }>,
    scopes: readonly string[],
    with_: {
      readonly credentials: RegistryCredentials | undefined;
      readonly signal: AbortSignal | undefined;
    },
  ): Promise<CachedToken> {
    const { transport, clock } = this.#init;
    const url = new URL(realm);
    if (service !== undefined) url.searchParams.set('service', service);
    for (const scope of scopes) url.searchParams.append('scope', scope);
    const authorization = basic(with_.credentials);
    const startMs = clock.monotonic();
    const response = await transport.send({
      method: 'GET',
      url,
      headers: {
        accept: 'application/json',
        ...(authorization !== undefined && { authorization }),
      },
      signal: with_.signal,
    });
    const bytes = await readBody(response.body, {
      maxBytes: maxTokenBytes,
      code: 'registry_error',
    });
    if (response.status === 401 || response.status === 403) {
      throw new TaplineError(
        'registry_unauthorized',
        `${realm.host} gives no token for ${scopes.join(' ') || 'this registry'}${authorization === undefined ? ' without an account' : ''}`,
        { hint: 'log in with podman login, or check the user name and password' },
      );
    }
    if (response.status !== 200) {
      const retryable = response.status === 429 || response.status >= 500;
      throw new TaplineError(
        'registry_error',
        `${realm.host} answered ${response.status} where tokens are given`,
        { details: { status: response.status, retryable } },
      );
    }
    return readToken(bytes, { host: realm.host, startMs });
  }
}

function readToken(
  bytes: Uint8Array,
  { host, startMs }: { readonly host: string; readonly startMs: number },
): CachedToken {
  let body: { token?: unknown; access_token?: unknown; expires_in?: unknown } = {};
  try {
    body = JSON.parse(Buffer.from(bytes).toString()) as typeof body;
  } catch {
    // Told below: there is no token in it.
  }
  const token = body.token ?? body.access_token;
  // A header value: nothing that could end it.
  if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) {
    throw new TaplineError('registry_error', `${host} answered without a token`);
  }
  const seconds = typeof body.expires_in === 'number' ? body.expires_in : defaultLifetimeSeconds;
  return { token, untilMs: startMs + Math.max(0, seconds * 1000 - earlierMs) };
}

function basic(credentials: RegistryCredentials | undefined): string | undefined {
  if (credentials === undefined) return undefined;
  if (credentials.kind === 'bearer') return `Bearer ${credentials.token}`;
  const pair = Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64');
  return `Basic ${pair}`;
}
