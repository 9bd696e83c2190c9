import { randomUUID } from 'node:crypto';
import type { AuditEntry, AuditSink, Identity } from '@tapline/apiserver';
import { internalIdentity } from '@tapline/apiserver';
import type { Clock } from '@tapline/base';
import type { RegistryAudit } from '@tapline/registry';

/** Writes pushes, deletes and collections of the embedded registry to the audit log. */
export function createRegistryAudit(init: {
  readonly audit: AuditSink;
  readonly whoSends: (
    request: Parameters<RegistryAudit>[0]['request'] & {},
  ) => Identity | undefined;
  readonly clock: Pick<Clock, 'now'>;
}): RegistryAudit {
  const { audit, clock, whoSends } = init;
  return async (change) => {
    const { request, verb, what, repository, reference, code, reason } = change;
    const identity =
      request === undefined ? internalIdentity('registry') : (whoSends(request) ?? nobody);
    const name = [repository, reference].filter((part) => part !== undefined).join('@');
    const userAgent = request?.headers['user-agent']?.slice(0, 200);
    const sourceAddress = request?.socket.remoteAddress;
    const entry: AuditEntry = {
      time: new Date(clock.now()).toISOString(),
      id: randomUUID(),
      user: identity.user,
      groups: identity.groups,
      via: identity.via,
      verb,
      group: 'registry.tapline.dev',
      resource: `${what}s`,
      ...(name === '' ? {} : { name: name.slice(0, 1000) }),
      decision: code < 400 ? 'allow' : 'deny',
      code,
      ...(reason === undefined ? {} : { reason: reason.slice(0, 1000) }),
      ...(userAgent === undefined ? {} : { userAgent }),
      ...(sourceAddress === undefined ? {} : { sourceAddress }),
    };
    audit.record(entry);
    await audit.written();
  };
}

const nobody: Identity = {
  user: 'system:anonymous',
  groups: ['system:unauthenticated'],
  via: 'anonymous',
};
