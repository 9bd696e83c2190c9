export type { Authorization, Authorize, RegistryAccess } from './protocol/authorize.ts';
export type { BlobRange, BlobStore, BlobWriter, StoredBlob } from './storage/blob-store.ts';
export { FileBlobStore } from './storage/file-blob-store.ts';
export type { ImageLink } from './protocol/link-image.ts';
export type {
  FetchedManifest,
  PushBlobOptions,
  PushOutcome,
  RegistryClient,
  RequestOptions,
} from './client/registry-client.ts';
export {
  createRegistryServer,
  type RegistryServer,
  type RegistryServerInit,
} from './protocol/registry-server.ts';
export { type RunningRegistry, startRegistry } from './start-registry.ts';
export { createRegistryClient, type RegistryClientInit } from './client/create-registry-client.ts';
export {
  createHttpTransport,
  type HttpRequest,
  type HttpResponse,
  type HttpTransport,
  type TlsIdentity,
} from './client/http-transport.ts';
export { pushImage, type PushedImage, type PushImageOptions } from './client/push-image.ts';
export type {
  CollectionReport,
  CollectOptions,
  HoldReason,
  QuotaUsage,
  RegistryAdmin,
  RepositoryPage,
  RepositorySummary,
  ScrubRequest,
  StorageUsage,
} from './admin/registry-admin.ts';
export { type AuthorizeAdmin, createAdminHandler } from './admin/serve-admin.ts';
export type { BlobReplica } from './scrub/blob-replica.ts';
export type { ScrubEvent } from './scrub/scrub-event.ts';
export {
  createHarborClient,
  type HarborClient,
  type HarborClientInit,
} from './harbor/create-harbor-client.ts';
export type {
  DesiredHarbor,
  DesiredPolicy,
  DesiredRegistry,
  DesiredRobot,
} from './harbor/desired-harbor.ts';
export {
  ensureHarbor,
  type EnsureHarborOptions,
  observeHarbor,
  type RobotLogin,
} from './harbor/ensure-harbor.ts';
export { planHarbor } from './harbor/plan-harbor.ts';
export { describeHarborStep, type HarborStep } from './harbor/harbor-step.ts';
export { type HarborProgress, runHarborPolicy } from './harbor/run-harbor-policy.ts';
export { formatRegistryScope, type RegistryScope } from './auth/registry-scope.ts';
export { openSigningKey, type SigningKey } from './auth/signing-key.ts';
export { tokenChallenge } from './auth/token-challenge.ts';
export {
  basicPassword,
  createTokenService,
  type LoginLimiter,
  type TokenEvent,
  type TokenService,
  type TokenServiceInit,
} from './auth/token-service.ts';
export type {
  RegistryCredentials,
  RegistryCredentialsSource,
} from './client/registry-credentials.ts';
export { isReferrersTag } from './client/referrers-tag.ts';
export { type ByteLimiter, createByteLimiter } from './copy/byte-limiter.ts';
export {
  type CopiedImage,
  copyImage,
  type CopyImageOptions,
  type CopyProgress,
} from './copy/copy-image.ts';
export type { ImageEndpoint } from './copy/image-endpoint.ts';
export { openOciLayout } from './layout/open-oci-layout.ts';
export {
  createInProcessTransport,
  type InProcessTransport,
} from './client/in-process-transport.ts';
export {
  createMirror,
  type Mirror,
  type MirrorInit,
  type MirrorOutcome,
  type MirrorRequestKind,
} from './mirror/create-mirror.ts';
export type { MirrorUpstream } from './mirror/mirror-upstream.ts';
export {
  type LocalChange,
  type ReplicationEvent,
  type ReplicationStatus,
  type Replicator,
  type ReplicatorInit,
  startReplicator,
} from './replication/replicator.ts';
export { globPatterns } from './replication/glob-pattern.ts';
export type { ReplicationPolicy } from './replication/replication-policy.ts';
export { replicaOfClient } from './scrub/replica-of-client.ts';
export type { Quota } from './catalog/quota.ts';
export type { RegistryAudit, RegistryChange } from './protocol/registry-audit.ts';
export type { RegistryObserver } from './protocol/registry-observer.ts';
export {
  type FileOfImage,
  readImageFile,
  type ReadImageFile,
  type ReadImageFileOptions,
} from './client/read-image-file.ts';
export type { RegistryRoute } from './protocol/registry-route.ts';
