import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { AuditSink, Identity } from '@tapline/apiserver';
import type { Clock, Log } from '@tapline/base';
import { deviceOfUser } from '@tapline/gateway';
import {
  createTokenService,
  formatRegistryScope,
  type LoginLimiter,
  type SigningKey,
  tokenChallenge,
  type TokenEvent,
  type TokenService,
} from '@tapline/registry';
import type { RegistryAccess } from './registry-access.ts';

export const tokenPath = '/registry/v1/token';
const service = 'tapline-registry';

export interface RegistryTokensInit {
  readonly access: RegistryAccess;
  readonly key: SigningKey;
  readonly audit: AuditSink;
  /** The one of the registry itself: guesses count wherever they are made. */
  readonly limiter: LoginLimiter;
  readonly onOutcome: (outcome: TokenEvent['outcome']) => void;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * The token server of the embedded registry; each token given and each refusal is in the audit log.
 * An address with ten failed logins within a minute has to wait, as at enrolment; what it is told
 * meanwhile is counted only, so that it cannot fill the log.
 */
export function createRegistryTokens(init: RegistryTokensInit): TokenService<Identity> {
  const { access, audit, clock } = init;
  return createTokenService<Identity>({
    key: init.key,
    issuer: 'tapline',
    service,
    authenticate(request, password) {
      const identity = access.identify(request, password);
      if (identity === undefined) return undefined;
      // A device that was deleted or revoked still has its certificate, and is nobody.
      const isDevice = deviceOfUser(identity.user) !== undefined;
      const isNobody =
        isDevice && !access.mayDo(identity, { repository: undefined, action: 'pull' });
      return isNobody ? undefined : { name: identity.user, identity };
    },
    mayDo: (identity, wanted) => access.mayDo(identity, wanted),
    limiter: init.limiter,
    clock,
    log: init.log,
    async onEvent(event) {
      init.onOutcome(event.outcome);
      if (event.outcome === 'limited') return;
      audit.record(auditEntry(event, clock.now()));
      await audit.written();
    },
  });
}

/** Sends clients to the token server by the name that they reached the registry by. */
export function registryChallenge(
  request: IncomingMessage,
  access: Parameters<typeof tokenChallenge>[0]['access'],
): string {
  const { host = '' } = request.headers;
  // It comes from the client and goes back to it alone, but not with anything else in it.
  const safe = /^[A-Za-z0-9.:[\]-]{1,255}$/.test(host) ? host : 'localhost';
  return tokenChallenge({ realm: `https://${safe}${tokenPath}`, service, access });
}

function auditEntry(
  { outcome, subject, requested, granted, request }: TokenEvent,
  nowMs: number,
): Parameters<AuditSink['record']>[0] {
  const userAgent = request.headers['user-agent']?.slice(0, 200);
  const sourceAddress = request.socket.remoteAddress;
  const scopes = (outcome === 'issued' ? granted : requested).map(formatRegistryScope).join(' ');
  return {
    time: new Date(nowMs).toISOString(),
    id: randomUUID(),
    user: subject ?? 'system:anonymous',
    groups: [],
    via: subject === undefined ? 'anonymous' : 'token',
    verb: 'create',
    group: 'registry.tapline.dev',
    resource: 'tokens',
    ...(scopes === '' ? {} : { name: scopes.slice(0, 1000) }),
    decision: outcome === 'issued' ? 'allow' : 'deny',
    code: outcome === 'issued' ? 200 : 401,
    ...(userAgent === undefined ? {} : { userAgent }),
    ...(sourceAddress === undefined ? {} : { sourceAddress }),
  };
}
