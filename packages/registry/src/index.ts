export type { Authorization, Authorize, RegistryAccess } from './authorize.ts';
export type { BlobRange, BlobStore, BlobWriter, StoredBlob } from './blob-store.ts';
export type {
  FetchedManifest,
  PushBlobOptions,
  PushOutcome,
  RegistryClient,
  RequestOptions,
} from './registry-client.ts';
