export type { Authorization, Authorize, RegistryAccess } from './authorize.ts';
export type { BlobRange, BlobStore, BlobWriter, StoredBlob } from './blob-store.ts';
export { FileBlobStore } from './file-blob-store.ts';
export type { ImageLink } from './link-image.ts';
export type {
  FetchedManifest,
  PushBlobOptions,
  PushOutcome,
  RegistryClient,
  RequestOptions,
} from './registry-client.ts';
export {
  createRegistryServer,
  type RegistryServer,
  type RegistryServerInit,
} from './registry-server.ts';
export { type RunningRegistry, startRegistry } from './start-registry.ts';
export { createRegistryClient, type RegistryClientInit } from './create-registry-client.ts';
export {
  createHttpTransport,
  type HttpRequest,
  type HttpResponse,
  type HttpTransport,
  type TlsIdentity,
} from './http-transport.ts';
export { pushImage, type PushedImage, type PushImageOptions } from './push-image.ts';
