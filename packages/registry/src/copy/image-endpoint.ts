import type { RegistryClient } from '../client/registry-client.ts';

/**
 * Where images are copied from and to: a registry, or a folder that is an OCI image layout, which has
 * one repository whatever its name.
 */
export type ImageEndpoint = Pick<
  RegistryClient,
  | 'resolve'
  | 'manifest'
  | 'hasBlob'
  | 'blob'
  | 'pushBlob'
  | 'pushManifest'
  | 'deleteManifest'
  | 'tags'
  | 'referrers'
>;
