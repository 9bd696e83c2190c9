import type { Annotations, Descriptor } from './descriptor.ts';

/** OCI image spec 1.1, manifest.md; also Docker's schema 2 manifest, told apart by `mediaType`. */
export interface ImageManifest {
  readonly schemaVersion: 2;
  readonly mediaType: string;
  readonly artifactType?: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly annotations?: Annotations;
}
