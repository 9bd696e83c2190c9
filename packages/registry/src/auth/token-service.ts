import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Clock, isTaplineError, type Log, TaplineError } from '@tapline/base';
import type { RegistryAccess } from '../protocol/authorize.ts';
import { readBody } from '../storage/read-body.ts';
import { formatRegistryScope, parseRegistryScopes, type RegistryScope } from './registry-scope.ts';
import {
  type RegistryTokenClaims,
  signRegistryToken,
  verifyRegistryToken,
} from './registry-token.ts';
import type { SigningKey } from './signing-key.ts';

/** What was asked of the token service and what came of it. */
export interface TokenEvent {
  /** `limited`: too many logins of its address failed; nobody looked at this one. */
  readonly outcome: 'issued' | 'refused' | 'limited';
  readonly subject: string | undefined;
  readonly requested: readonly RegistryScope[];
  /** What the token allows of it. */
  readonly granted: readonly RegistryScope[];
  readonly request: IncomingMessage;
}

/** Who asks for a token. */
export interface TokenSubject<Identity> {
  readonly name: string;
  readonly identity: Identity;
}

export interface TokenServiceInit<Identity> {
  readonly key: SigningKey;
  readonly issuer: string;
  /** What the registry calls itself; tokens for another are not taken. */
  readonly service: string;
  /**
   * Who sends a request: by its client certificate, a bearer token, or the password that came with
   * basic authentication or in a form. Undefined where nobody known does.
   */
  readonly authenticate: (
    request: IncomingMessage,
    password: string | undefined,
  ) => TokenSubject<Identity> | undefined;
  readonly mayDo: (identity: Identity, access: RegistryAccess) => boolean;
  /** Slows guessing down; no limit unless given. */
  readonly limiter?: LoginLimiter;
  readonly clock: Clock;
  readonly log: Log;
  /** How long a token lasts; 300 s unless given. */
  readonly lifetimeSeconds?: number;
  /** Awaited before the answer, so that what is not written down is not given out. */
  readonly onEvent?: (event: TokenEvent) => Promise<void> | void;
}

/** Counts failed logins by the address that they came from. */
export interface LoginLimiter {
  /** Milliseconds to wait, or 0 where a further try is welcome. */
  waitMs(source: string): number;
  failed(source: string): void;
}

/** Gives out tokens that say which repositories their bearer may use, and reads them again. */
export interface TokenService<Identity> {
  readonly service: string;
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** What a bearer token allows; undefined where it is none of ours or has ended. */
  verify(
    token: string,
  ): { readonly identity: Identity; readonly access: readonly RegistryScope[] } | undefined;
}

const maxFormBytes = 16 * 1024;
const registryActions = ['pull', 'push', 'delete'] as const;

/**
 * The token server of the distribution project's specification: GET with basic authentication, as
 * podman and skopeo do it, and POST of a form, as containerd does.
 */
export function createTokenService<Identity>(
  init: TokenServiceInit<Identity>,
): TokenService<Identity> {
  const { key, issuer, service, clock, log, lifetimeSeconds = 300 } = init;

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const asked = await parametersOf(request);
      const wanted = asked.getAll('service');
      if (wanted.length > 0 && !wanted.includes(service)) {
        throw new TaplineError(
          'bad_request',
          `tokens for ${JSON.stringify(wanted[0]?.slice(0, 100))} are not given here, only for ${service}`,
        );
      }
      const requested = parseRegistryScopes(asked.getAll('scope'));
      const password = passwordOf(request, asked);
      // Who sends no secret, or shows a certificate, guesses nothing.
      const isLogin = password !== undefined || request.headers.authorization !== undefined;
      const source = request.socket.remoteAddress ?? '';
      const waitMs = isLogin ? (init.limiter?.waitMs(source) ?? 0) : 0;
      if (waitMs > 0) {
        const event = { subject: undefined, requested, granted: [], request };
        await init.onEvent?.({ outcome: 'limited', ...event });
        const seconds = Math.ceil(waitMs / 1000);
        const message = `too many logins of ${source} failed; try again in ${seconds} s`;
        answer(response, 429, errorBody('TOOMANYREQUESTS', message), {
          'retry-after': String(seconds),
        });
        return;
      }
      const subject = init.authenticate(request, password);
      if (subject === undefined && isLogin) init.limiter?.failed(source);
      const granted = subject === undefined ? [] : grant(subject.identity, requested);
      const outcome = subject === undefined ? 'refused' : 'issued';
      await init.onEvent?.({ outcome, subject: subject?.name, requested, granted, request });
      if (subject === undefined) {
        answer(response, 401, errorBody('UNAUTHORIZED', 'authentication is required'), {
          'www-authenticate': `Basic realm="${service}"`,
        });
        return;
      }
      const token = signRegistryToken(key, {
        issuer,
        subject: subject.name,
        audience: service,
        access: granted,
        identity: subject.identity,
        nowMs: clock.now(),
        lifetimeSeconds,
      });
      const issued = new Date(clock.now()).toISOString();
      const body = { token, access_token: token, expires_in: lifetimeSeconds, issued_at: issued };
      answer(response, 200, { ...body, scope: granted.map(formatRegistryScope).join(' ') });
    } catch (error) {
      if (isTaplineError(error, 'bad_request')) {
        answer(response, 400, errorBody('UNSUPPORTED', error.message));
        return;
      }
      if (response.headersSent || request.destroyed) return void response.destroy();
      log.error('registry: no token could be given', { error });
      answer(response, 500, errorBody('UNKNOWN', 'internal error'));
    }
  }

  /** Of each scope the actions that are allowed; a scope with none of them stays out. */
  function grant(
    identity: Identity,
    requested: readonly RegistryScope[],
  ): readonly RegistryScope[] {
    return requested.flatMap((scope) => {
      const repository = scope.type === 'repository' ? scope.name : undefined;
      const actions = registryActions.filter(
        (action) =>
          (scope.actions.includes(action) || scope.actions.includes('*')) &&
          init.mayDo(identity, { repository, action }),
      );
      return actions.length === 0 ? [] : [{ ...scope, actions }];
    });
  }

  return {
    service,
    handle: (request, response) => void respond(request, response),
    verify(token) {
      const nowMs = clock.now();
      const claims: RegistryTokenClaims | undefined = verifyRegistryToken(key, token, {
        issuer,
        audience: service,
        nowMs,
      });
      return claims === undefined
        ? undefined
        : { identity: claims.identity as Identity, access: claims.access };
    },
  };
}

/** Those of the query, and of the form where one was posted. */
async function parametersOf(request: IncomingMessage): Promise<URLSearchParams> {
  const query = new URLSearchParams((request.url ?? '').split('?', 2)[1] ?? '');
  if (request.method === 'GET') return query;
  if (request.method !== 'POST') {
    throw new TaplineError(
      'bad_request',
      `tokens are asked for by GET or POST, not ${request.method}`,
    );
  }
  const bytes = await readBody(request, { maxBytes: maxFormBytes, code: 'bad_request' });
  const form = new URLSearchParams(Buffer.from(bytes).toString());
  const grantType = form.get('grant_type');
  if (grantType !== 'password') {
    throw new TaplineError(
      'bad_request',
      `grant_type ${JSON.stringify(grantType)} is not password`,
    );
  }
  for (const [name, value] of query) form.append(name, value);
  return form;
}

/** The user name says nothing: an access token says itself whose it is. */
function passwordOf(request: IncomingMessage, asked: URLSearchParams): string | undefined {
  return (
    basicPassword(request) ??
    (request.method === 'POST' ? asked.get('password') : undefined) ??
    undefined
  );
}

/** The password of basic authentication (RFC 7617), where a request has one. */
export function basicPassword({ headers }: IncomingMessage): string | undefined {
  const [, pair] = /^Basic +([A-Za-z0-9+/=]{1,8192})$/i.exec(headers.authorization ?? '') ?? [];
  if (pair === undefined) return undefined;
  const text = Buffer.from(pair, 'base64').toString();
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : text.slice(colon + 1);
}

function errorBody(code: string, message: string): unknown {
  return { errors: [{ code, message }] };
}

function answer(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': bytes.length,
    'cache-control': 'no-store',
    ...headers,
  });
  response.end(bytes);
}
