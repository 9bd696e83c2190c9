export type { AnyObject } from './any-object.ts';
export {
  type AllowedAction,
  type ApiServer,
  type ApiServerInit,
  type ApiServerLimits,
  createApiServer,
} from './api-server.ts';
export { type CertifiedIdentity, certifiedIdentity } from './access/certificate-identity.ts';
export type { AuditEntry, AuditSink } from './audit-entry.ts';
export type { ConnectHandler, ConnectRequest } from './connect-handler.ts';
export { httpServerLimits } from './http-server-limits.ts';
export { anonymous, type Identity, internalIdentity, mastersGroup } from './identity.ts';
export type {
  Caller,
  DeleteQuery,
  ListQuery,
  ListResult,
  ObjectEvent,
  ObjectName,
  Operations,
  PatchBody,
  WatchQuery,
  WriteOptions,
} from './operations.ts';
export { type AuditLog, type AuditLogOptions, openAuditLog } from './audit-log.ts';
export { readRecentAudit } from './recent-audit.ts';
export { recordLostWrites } from './record-lost-writes.ts';
