import type { Annotations, Descriptor } from './descriptor.ts';

/** OCI image spec 1.1, image-index.md; also Docker's manifest list, told apart by `mediaType`. */
export interface ImageIndex {
  readonly schemaVersion: 2;
  readonly mediaType: string;
  readonly artifactType?: string;
  readonly manifests: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly annotations?: Annotations;
}
